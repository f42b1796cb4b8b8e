package dev.waymark.api.http;

import dev.waymark.api.http.Route.Refusal;
import dev.waymark.api.http.Route.Request;
import dev.waymark.telemetry.Event;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpChunkedInput;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.stream.ChunkedStream;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One connection of an HTTP port: takes one request at a time, has it answered, and limits the time
 * of each step. It is not read while a request is being answered. Confined to the port's event
 * loop.
 */
final class HttpConnection extends ChannelInboundHandlerAdapter {
  /** Time to receive the whole head, from the connection's start, and then the whole body. */
  private static final long REQUEST_TIMEOUT_NS = 5_000_000_000L;

  /** How long a kept-alive connection may wait for its next request. */
  private static final long IDLE_TIMEOUT_NS = 30_000_000_000L;

  private static final long REPLY_TIMEOUT_NS = 30_000_000_000L;

  /**
   * How long input is discarded after the last reply. Closing at once would reset the connection,
   * and the client could lose the reply.
   */
  private static final long LINGER_NS = 2_000_000_000L;

  /** Longer replies are written in pieces of this size, as the client reads them. */
  private static final int REPLY_PIECE_BYTES = 16 * 1024;

  private static final HttpHeaders NO_HEADERS = EmptyHttpHeaders.INSTANCE;

  /**
   * How long the refusal of credentials is held back, so that guessing is slow on each of the few
   * connections. Costs no thread, and such a connection is the first to make room for another.
   */
  private static final long DENIAL_DELAY_NS = 1_000_000_000L;

  private enum Phase {
    HEAD,
    BODY,
    /** Credentials were refused, and the client is not told yet. */
    DENYING,
    ANSWERING,
    WRITING,
    LINGERING
  }

  private final HttpPort.Shared port;
  private final Channel channel;
  private final @Nullable HttpTls tls;
  private final ByteBuf body = Unpooled.buffer(0);
  private Phase phase = Phase.HEAD;
  private HttpRoutes.@Nullable Match match;
  private Sender sender = Sender.ANYBODY;
  private @Nullable Denial denial;
  private boolean wantsMore;
  private boolean isKeptAlive;
  private boolean isHead;
  private HttpVersion version = HttpVersion.HTTP_1_1;
  private boolean isInputEnded;

  /** The current read contained a request: another one in the same read is pipelined. */
  private boolean hasReadRequest;

  private long deadlineNs;

  /**
   * @param tls null if the port speaks plain HTTP
   */
  HttpConnection(HttpPort.Shared port, Channel channel, @Nullable HttpTls tls) {
    this.port = port;
    this.channel = channel;
    this.tls = tls;
  }

  /** Whether the client has no request that is being answered. */
  boolean isWaiting() {
    return phase != Phase.ANSWERING && phase != Phase.WRITING;
  }

  /** Ends the current step if its time is over. Answering has no time limit. */
  void onTick(long nowNs) {
    if (phase == Phase.ANSWERING || deadlineNs - nowNs > 0) {
      return;
    }
    Denial due = denial;
    if (phase == Phase.DENYING && due != null) {
      write(
          due.reply(),
          due.isForToken()
              ? header(HttpHeaderNames.WWW_AUTHENTICATE, due.challenge())
              : NO_HEADERS);
    } else {
      close();
    }
  }

  /** Ends the connection at once, without a close_notify that would wait for the client to read. */
  void close() {
    ChannelHandlerContext speaker = channel.pipeline().context(SslHandler.class);
    if (speaker == null) {
      channel.close();
    } else {
      speaker.close();
    }
  }

  // --- inputs ---

  @Override
  public void channelActive(ChannelHandlerContext context) {
    port.connections().enter(this);
    await(Phase.HEAD, REQUEST_TIMEOUT_NS);
    context.read();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    port.connections().leave(this);
    body.release();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    try {
      if (phase == Phase.HEAD && !hasReadRequest && message instanceof HttpRequest head) {
        hasReadRequest = true;
        onHead(head);
      } else if (phase == Phase.BODY && message instanceof HttpContent content) {
        onContent(content);
      } else if (message instanceof HttpRequest) {
        // Common clients do not pipeline; one that does may retry.
        onPipelined();
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    hasReadRequest = false;
    if (phase == Phase.HEAD || phase == Phase.BODY) {
      context.read();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE) {
      isInputEnded = true;
      if (isWaiting() && phase != Phase.DENYING) {
        close();
      }
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (!(cause instanceof IOException)) {
      port.log().write(Event.BUG, "where", "admin", "error", cause);
    }
    close();
  }

  // --- a request ---

  private void onHead(HttpRequest head) {
    version = head.protocolVersion();
    isHead = head.method().equals(HttpMethod.HEAD);
    wantsMore = head.decoderResult().isSuccess() && HttpUtil.isKeepAlive(head);
    // An unread body would be taken for the next request.
    isKeptAlive = wantsMore && !HttpRoutes.hasBody(head);
    try {
      String target = port.routes().target(head, tls != null);
      if (tls != null && tls.isPlaintext()) {
        write(Reply.error(308, "this port speaks TLS: use https://"), location(head));
        return;
      }
      switch (port.admit(channel, head, target, clientNames())) {
        case Sender known -> sender = known;
        case Denial why -> {
          port.onDenied(channel, target, why);
          denial = why;
          await(Phase.DENYING, DENIAL_DELAY_NS);
          return;
        }
      }
      HttpRoutes.Match found = port.routes().match(head, target);
      match = found;
      if (HttpRoutes.hasBody(head) && found.route().bodyBytesMax() == 0) {
        answer(found, new byte[0]);
        return;
      }
    } catch (Refusal refusal) {
      port.onRefused(channel, head.uri(), refusal);
      String allow = refusal.allow();
      write(refusal.reply(), allow == null ? NO_HEADERS : header(HttpHeaderNames.ALLOW, allow));
      return;
    }
    if (HttpUtil.is100ContinueExpected(head)) {
      channel.writeAndFlush(
          new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
    }
    body.clear();
    await(Phase.BODY, REQUEST_TIMEOUT_NS);
  }

  /** The same, with TLS. Its host has been checked. */
  private static HttpHeaders location(HttpRequest head) {
    String host = head.headers().get(HttpHeaderNames.HOST);
    return host != null && head.uri().startsWith("/")
        ? header(HttpHeaderNames.LOCATION, "https://" + host.strip() + head.uri())
        : NO_HEADERS;
  }

  private Optional<List<String>> clientNames() {
    return tls == null ? Optional.empty() : tls.clientNames();
  }

  /**
   * Ends the connection after the reply in progress: otherwise one connection could have hundreds
   * of probes answered in a single turn of the loop.
   */
  private void onPipelined() {
    isKeptAlive = false;
    if (phase == Phase.HEAD) {
      linger();
    }
  }

  private void onContent(HttpContent content) {
    HttpRoutes.Match found = Objects.requireNonNull(match);
    if (content.decoderResult().isFailure()) {
      write(Reply.error(400, "the body is malformed"), NO_HEADERS);
      return;
    }
    if (body.readableBytes() + content.content().readableBytes() > found.route().bodyBytesMax()) {
      write(HttpRoutes.tooLarge(found.route()).reply(), NO_HEADERS);
      return;
    }
    body.writeBytes(content.content());
    if (content instanceof LastHttpContent) {
      isKeptAlive = wantsMore;
      answer(found, ByteBufUtil.getBytes(body));
    }
  }

  private void answer(HttpRoutes.Match found, byte[] bytes) {
    Request request =
        new Request(found.method(), found.query(), bytes, sender, HttpPort.clientOf(channel));
    phase = Phase.ANSWERING;
    if (found.route().isProbe()) {
      write(port.reply(found.route(), request), NO_HEADERS);
      return;
    }
    try {
      port.workers()
          .execute(() -> {
            if (channel.isActive()) {
              Reply reply = port.reply(found.route(), request);
              channel.eventLoop().execute(() -> write(reply, NO_HEADERS));
            }
          });
    } catch (RejectedExecutionException full) {
      write(Reply.error(503, "too many requests are waiting; try again"), NO_HEADERS);
    }
  }

  // --- a reply ---

  private static HttpHeaders header(CharSequence name, String value) {
    return new DefaultHttpHeaders().set(name, value);
  }

  private void write(Reply reply, HttpHeaders more) {
    if (!channel.isActive()) {
      return;
    }
    int length = isHead ? 0 : reply.body().length;
    if (!port.connections().addWaiting(length)) {
      write(Reply.error(503, "too many replies are waiting to be read; try again"), more, 0);
      return;
    }
    write(reply, more, length);
  }

  private void write(Reply reply, HttpHeaders more, long waitingBytes) {
    await(Phase.WRITING, REPLY_TIMEOUT_NS);
    HttpResponse head =
        new DefaultHttpResponse(version(), HttpResponseStatus.valueOf(reply.status()));
    head.headers()
        .set(HttpHeaderNames.CONTENT_TYPE, reply.contentType())
        .set(HttpHeaderNames.CONTENT_LENGTH, reply.body().length)
        .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
        .set("X-Content-Type-Options", "nosniff")
        .add(more);
    HttpUtil.setKeepAlive(head, isKeptAlive);
    channel.write(head);
    ChannelFuture written =
        isHead
            ? channel.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT)
            : channel.writeAndFlush(
                new HttpChunkedInput(
                    new ChunkedStream(new ByteArrayInputStream(reply.body()), REPLY_PIECE_BYTES)));
    written.addListener(done -> {
      port.connections().removeWaiting(waitingBytes);
      if (done.isSuccess()) {
        onWritten();
      } else {
        close();
      }
    });
  }

  /** The version to reply with: the client's if supported, else HTTP/1.1. */
  private HttpVersion version() {
    return version.equals(HttpVersion.HTTP_1_0) ? HttpVersion.HTTP_1_0 : HttpVersion.HTTP_1_1;
  }

  private void onWritten() {
    if (isInputEnded) {
      channel.close();
    } else if (isKeptAlive) {
      port.connections().renew(this);
      await(Phase.HEAD, IDLE_TIMEOUT_NS);
      channel.read();
    } else {
      linger();
    }
  }

  private void linger() {
    await(Phase.LINGERING, LINGER_NS);
    SslHandler speaker = channel.pipeline().get(SslHandler.class);
    if (speaker == null) {
      shutdownOutput();
    } else {
      speaker.closeOutbound().addListener(_ -> shutdownOutput());
    }
    channel.config().setAutoRead(true);
  }

  private void shutdownOutput() {
    if (channel instanceof DuplexChannel socket) {
      socket.shutdownOutput();
    }
  }

  private void await(Phase next, long timeoutNs) {
    phase = next;
    deadlineNs = port.nowNs() + timeoutNs;
  }
}
