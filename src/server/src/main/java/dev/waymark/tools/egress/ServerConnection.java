package dev.waymark.tools.egress;

import dev.waymark.config.TlsKeys.MissingCloseNotify;
import dev.waymark.net.tls.IgnoredInput;
import dev.waymark.protocol.CloseReason;
import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One client connection and its TCP connection with the server. Its state is confined to the server
 * socket's event loop, which is that of the lane: handlers are called there, except for a few that
 * say so.
 *
 * <p><b>Back-pressure.</b> Bytes of the client count as consumed once the server's socket has
 * accepted them, so that what the server does not read fills the connection's window, and the
 * bridge stops reading the client. The server's socket is read piece by piece, and not while a
 * piece waits for room in the reply window. So a connection holds at most one window towards the
 * server and one piece towards the client.
 *
 * <p><b>Ends.</b> A FIN is passed on as a FIN, behind all bytes, and leaves the other direction
 * open; a reset as a reset. The server gets a FIN only if the client sent one: if the connection
 * ends in any other way, the server sees a reset, and takes no half of a stream for the whole. With
 * TLS, a close_notify is the end of a stream, and a FIN without one is a loss.
 */
final class ServerConnection implements ConnectionHandler {
  /** What the outside has to know. */
  interface Host {
    /** The connect failed; the connection is refused. */
    void onDialFailed(UpstreamConnection client, Throwable cause);

    /** An open connection fails because of TLS, for a reason that is meant for people. */
    void onTlsFailed(UpstreamConnection client, String problem);

    /** The connection is over. Called once. */
    void onEnd();
  }

  private enum Phase {
    /** The connect or the TLS handshake is under way; to OPEN or CLOSED. */
    DIALLING,
    /** Bytes travel; to CLOSED. */
    OPEN,
    /** Nothing is passed on any more. */
    CLOSED
  }

  /** Client bytes that wait until the server is there. */
  private record Waiting(ByteBuf bytes, long endOffset) {}

  private static final String WITHOUT_CLOSE_NOTIFY =
      "TLS with the server: it closed without close_notify, so bytes may be missing; if it always does, use --to-missing-close-notify end";

  /** Flushes of one turn of the loop are joined, up to this many. */
  private static final int FLUSHES_MAX = 256;

  private final UpstreamConnection client;
  private final EventLoop loop;
  private final EgressCounters counters;
  private final Host host;
  private final boolean sendsProxyHeader;
  private final MissingCloseNotify missingCloseNotify;
  private final Queue<Waiting> waiting = new ArrayDeque<>(0);

  private Phase phase = Phase.DIALLING;
  private @Nullable Channel channel;
  private long acceptedOffset;
  private boolean isAcknowledgementDue;
  private boolean isClientEnded;
  private boolean isServerEnded;

  /** With TLS: the server was sent close_notify, so its close has no more to say. */
  private boolean isOutputEnded;

  private boolean isReadingPaused;

  ServerConnection(
      UpstreamConnection client,
      EventLoop loop,
      EgressCounters counters,
      Host host,
      boolean sendsProxyHeader,
      MissingCloseNotify missingCloseNotify) {
    this.client = client;
    this.loop = loop;
    this.counters = counters;
    this.host = host;
    this.sendsProxyHeader = sendsProxyHeader;
    this.missingCloseNotify = missingCloseNotify;
  }

  /** Dials the server. */
  void dial(ServerDialer dialer) {
    ByteBuf header =
        sendsProxyHeader
            ? ProxyHeaderWriter.proxied(
                client.open().clientAddress(), client.open().localAddress(), client.mark())
            : null;
    ChannelFuture dialling =
        dialer.dial(
            loop,
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel created) {
                created
                    .pipeline()
                    .addLast(new FlushConsolidationHandler(FLUSHES_MAX, true), new FromServer());
              }
            },
            header);
    channel = dialling.channel();
    dialling.addListener(done -> onLoop(() -> onDialled(dialling)));
  }

  // --- from the client, on the lane's thread ---

  @Override
  public void onData(ByteBuf data, long endOffset) {
    Channel server = channel;
    // A slice keeps the whole batch in memory, so what is not written at once is copied.
    boolean isWrittenAtOnce = phase == Phase.OPEN && server != null && server.isWritable();
    ByteBuf owned = isWrittenAtOnce ? data.retainedSlice() : data.copy();
    onLoop(() -> write(owned, endOffset));
  }

  @Override
  public void onHalfClose() {
    onLoop(() -> {
      isClientEnded = true;
      if (phase == Phase.OPEN) {
        finish();
      }
    });
  }

  /** Called on any thread. */
  @Override
  public void onWritable() {
    onLoop(this::resumeReading);
  }

  /** Called on any thread. */
  @Override
  public void onClose(CloseReason reason) {
    onLoop(() -> close(reason == CloseReason.DONE));
  }

  // --- on the loop ---

  private void onLoop(Runnable action) {
    if (loop.inEventLoop()) {
      action.run();
    } else {
      loop.execute(action);
    }
  }

  private void onDialled(ChannelFuture dialling) {
    if (phase == Phase.CLOSED) {
      return;
    }
    Throwable failure = dialling.cause();
    if (failure != null) {
      counters.dialFailures.increment();
      host.onDialFailed(client, failure);
      close(false);
      client.close(CloseReason.NOT_HERE);
      return;
    }
    phase = Phase.OPEN;
    counters.opened.increment();
    Channel server = dialling.channel();
    for (Waiting next = waiting.poll(); next != null; next = waiting.poll()) {
      write(next.bytes(), next.endOffset());
    }
    if (isClientEnded) {
      finish();
    }
    server.read();
  }

  private void write(ByteBuf owned, long endOffset) {
    switch (phase) {
      case DIALLING -> waiting.add(new Waiting(owned, endOffset));
      case CLOSED -> owned.release();
      case OPEN -> {
        int bytes = owned.readableBytes();
        writeAndThen(owned, _ -> onAccepted(bytes, endOffset));
      }
    }
  }

  /** Calls {@code onAccepted} when the socket has accepted the bytes and all before them. */
  private void writeAndThen(ByteBuf owned, Consumer<Channel> onAccepted) {
    Channel server = channel;
    if (server == null) {
      owned.release();
      return;
    }
    ChannelFuture written = server.writeAndFlush(owned);
    written.addListener(done -> {
      if (done.isSuccess()) {
        onAccepted.accept(server);
      } else {
        onServerLost();
      }
    });
  }

  private void onAccepted(int bytes, long endOffset) {
    counters.sentBytes.add(bytes);
    acceptedOffset = endOffset;
    if (!isAcknowledgementDue) {
      isAcknowledgementDue = true;
      // Later in this turn, so that one acknowledgement covers all writes of a flush.
      loop.execute(this::acknowledge);
    }
  }

  private void acknowledge() {
    isAcknowledgementDue = false;
    if (phase == Phase.OPEN) {
      client.consume(acceptedOffset);
    }
  }

  /** Passes the client's FIN on, behind all bytes; with TLS, as a close_notify before a FIN. */
  private void finish() {
    Channel open = channel;
    SslHandler present = open == null ? null : open.pipeline().get(SslHandler.class);
    if (open != null && present != null && present.engine().isOutboundDone()) {
      // With TLS 1.2, the server's close_notify has ended this direction too.
      isOutputEnded = true;
      shutdownOutput(open);
      return;
    }
    writeAndThen(
        Unpooled.EMPTY_BUFFER,
        server -> {
          SslHandler tls = server.pipeline().get(SslHandler.class);
          if (tls == null) {
            shutdownOutput(server);
          } else {
            tls.closeOutbound()
                .addListener(done -> {
                  // A server that has ended may have closed its socket.
                  isOutputEnded = isServerEnded || done.isSuccess();
                  shutdownOutput(server);
                });
          }
        });
  }

  private static void shutdownOutput(Channel server) {
    if (server.isOpen()) {
      ((DuplexChannel) server).shutdownOutput();
    }
  }

  private void resumeReading() {
    Channel server = channel;
    if (isReadingPaused && phase == Phase.OPEN && server != null) {
      isReadingPaused = false;
      server.read();
    }
  }

  /** The server reset its socket, or it does not answer any more. */
  private void onServerLost() {
    if (phase == Phase.OPEN) {
      counters.resets.increment();
      close(false);
      client.close(CloseReason.ABORT);
    }
  }

  /**
   * Ends both directions.
   *
   * @param isClean whether all bytes and both FINs have been passed on; else the server sees a
   *     reset
   */
  private void close(boolean isClean) {
    if (phase == Phase.CLOSED) {
      return;
    }
    phase = Phase.CLOSED;
    waiting.forEach(next -> next.bytes().release());
    waiting.clear();
    Channel server = channel;
    if (server != null && server.isOpen()) {
      if (isClean) {
        ServerDialer.finish(server);
      } else {
        reset(server);
      }
    }
    host.onEnd();
  }

  /** Without a FIN or a close_notify, which would say that the stream is whole. */
  private static void reset(Channel server) {
    ChannelHandlerContext tls = server.pipeline().context(SslHandler.class);
    if (tls == null) {
      server.close();
    } else {
      tls.close();
    }
  }

  /** Receives from the server. */
  private final class FromServer extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf owned = (ByteBuf) message;
      if (phase == Phase.CLOSED) {
        owned.release();
        return;
      }
      counters.receivedBytes.add(owned.readableBytes());
      client.send(owned);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      if (client.isWaiting()) {
        isReadingPaused = true;
      } else {
        context.read();
      }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (phase != Phase.OPEN || isServerEnded) {
        return;
      }
      boolean isTls = context.pipeline().get(SslHandler.class) != null;
      boolean isFin = event instanceof ChannelInputShutdownEvent;
      if (isFin && isTls && missingCloseNotify == MissingCloseNotify.LOST) {
        // Anybody on the path can send a FIN without a close_notify.
        host.onTlsFailed(client, WITHOUT_CLOSE_NOTIFY);
        onServerLost();
      } else if (isFin || (event instanceof SslCloseCompletionEvent closed && closed.isSuccess())) {
        isServerEnded = true;
        if (isTls) {
          context.pipeline().addFirst(new IgnoredInput());
          isOutputEnded = context.pipeline().get(SslHandler.class).engine().isOutboundDone();
        }
        client.halfClose();
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      onGone();
    }

    /**
     * With TLS 1.3, this is how a server says that it wants another certificate: after the
     * handshake.
     */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      if (phase == Phase.OPEN && cause.getCause() instanceof SSLException) {
        host.onTlsFailed(client, ServerDialer.problem(cause.getCause()));
      }
      onGone();
    }

    /**
     * Once both ends have said close_notify, a reset says nothing: it answers the one that the
     * server has not read.
     */
    private void onGone() {
      if (!isServerEnded || !isOutputEnded) {
        onServerLost();
      }
    }
  }
}
