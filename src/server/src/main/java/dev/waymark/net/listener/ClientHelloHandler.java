package dev.waymark.net.listener;

import dev.waymark.net.tls.Handshake;
import dev.waymark.net.tls.OutputGuard;
import dev.waymark.net.tls.ServerTls;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslClientHelloHandler;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ImmediateExecutor;
import io.netty.util.concurrent.Promise;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the whole ClientHello and for the handshake's turn, and is then replaced by the handler
 * that speaks TLS, with the certificate that the client asks for. Confined to its event loop.
 */
final class ClientHelloHandler extends SslClientHelloHandler<ClientHello>
    implements HandshakeQueue.Waiting {
  /** Of a ClientHello with post-quantum key shares, several tickets and long names. */
  private static final int HELLO_BYTES_MAX = 16 * 1024;

  /** Of all records before the ClientHello is complete: it may come in small fragments. */
  private static final int PENDING_BYTES_MAX = 2 * HELLO_BYTES_MAX;

  /** A record with the fatal alert no_application_protocol (RFC 7301, section 3.2). */
  private static final byte[] NO_APPLICATION_PROTOCOL = {21, 3, 3, 0, 2, 2, 120};

  private final ServerTls tls;
  private final TlsStage stage;
  private final HandshakeQueue queue;
  private int heldBytes;
  private @Nullable Promise<ClientHello> turn;
  private @Nullable ClientHello hello;

  ClientHelloHandler(ServerTls tls, TlsStage stage, HandshakeQueue queue) {
    super(HELLO_BYTES_MAX);
    this.tls = tls;
    this.stage = stage;
    this.queue = queue;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) throws Exception {
    // The stage first: it may find that there is no room.
    super.channelActive(context);
    if (!stage.isOver()) {
      queue.arrive(this);
    }
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out)
      throws Exception {
    if (in.isReadable() && in.getUnsignedByte(in.readerIndex()) != ClientHello.HANDSHAKE_RECORD) {
      in.skipBytes(in.readableBytes());
      stage.refuse(RefusalReason.TLS_PLAINTEXT, "");
      return;
    }
    super.decode(context, in, out);
    if (in.readableBytes() > PENDING_BYTES_MAX) {
      in.skipBytes(in.readableBytes());
      stage.refuse(RefusalReason.TLS_HELLO_TOO_LONG, "");
    }
    hold(in.readableBytes());
  }

  private void hold(int bytes) {
    int more = bytes - heldBytes;
    heldBytes = bytes;
    if (!queue.hold(more)) {
      stage.refuse(RefusalReason.TLS_HANDSHAKES_MAX, "too many bytes wait for handshakes");
    }
  }

  @Override
  protected Future<ClientHello> lookup(ChannelHandlerContext context, @Nullable ByteBuf bytes) {
    if (bytes == null) {
      stage.refuse(RefusalReason.TLS_PLAINTEXT, "");
      return refused(context);
    }
    ClientHello read = ClientHello.read(bytes);
    List<String> wanted = tls.applicationProtocols();
    if (!wanted.isEmpty()
        && !read.applicationProtocols().isEmpty()
        && Collections.disjoint(wanted, read.applicationProtocols())) {
      context.writeAndFlush(Unpooled.wrappedBuffer(NO_APPLICATION_PROTOCOL));
      stage.refuse(RefusalReason.TLS_PROTOCOL_UNKNOWN, "");
      return refused(context);
    }
    Promise<ClientHello> promise = context.executor().newPromise();
    hello = read;
    turn = promise;
    queue.add(this);
    return promise;
  }

  private static Future<ClientHello> refused(ChannelHandlerContext context) {
    Promise<ClientHello> promise = context.executor().newPromise();
    promise.cancel(false);
    return promise;
  }

  /** If its turn never comes: the ClientHello is released when the promise is done. */
  @Override
  protected void handlerRemoved0(ChannelHandlerContext context) throws Exception {
    super.handlerRemoved0(context);
    queue.remove(this);
    queue.hold(-heldBytes);
    heldBytes = 0;
    if (turn != null) {
      turn.cancel(false);
    }
  }

  @Override
  public boolean isOver() {
    return stage.isOver();
  }

  @Override
  public void begin() {
    if (turn != null && hello != null) {
      turn.trySuccess(hello);
    }
  }

  @Override
  public void evict() {
    stage.refuse(RefusalReason.TLS_HANDSHAKES_MAX, "silent for longest");
  }

  @Override
  protected void onLookupComplete(ChannelHandlerContext context, Future<ClientHello> found) {
    if (!found.isSuccess()) {
      return;
    }
    String serverName = found.getNow().serverName();
    Handshake handshake = tls.begin(serverName, context.alloc(), ImmediateExecutor.INSTANCE);
    // The stage has a deadline for the whole handshake.
    handshake.handler().setHandshakeTimeoutMillis(0);
    stage.onBegin(serverName, handshake);
    if (tls.needsOutputGuard()) {
      context.pipeline().addBefore(context.name(), "tls-output", new OutputGuard());
    }
    context.pipeline().addBefore(context.name(), "tls-alert", handshake.alertReader());
    context.pipeline().replace(this, "tls", handshake.handler());
  }
}
