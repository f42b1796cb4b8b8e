package dev.waymark.protocol.http2;

import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiator.ProtocolNegotiator;
import io.grpc.netty.InternalProtocolNegotiators;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerAdapter;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.AsciiString;
import java.util.function.Consumer;

/** Puts a {@link PeerGuard} on every connection of a gRPC server. Stateless. */
public final class ServerGuard {
  private ServerGuard() {}

  /**
   * Guards a plaintext server. gRPC has no public access to a connection's pipeline, but its
   * protocol negotiator supplies the first handlers.
   *
   * @param onFlood called with a description of each flood, on an event loop of the server
   */
  public static void install(NettyServerBuilder server, Consumer<String> onFlood) {
    server.protocolNegotiator(new Guarding(InternalProtocolNegotiators.serverPlaintext(), onFlood));
  }

  /**
   * Guards a server with TLS.
   *
   * @param onFlood as in {@link #install(NettyServerBuilder, Consumer)}
   */
  public static void install(NettyServerBuilder server, SslContext tls, Consumer<String> onFlood) {
    server.protocolNegotiator(new GuardingTls(InternalProtocolNegotiators.serverTls(tls), onFlood));
  }

  private record GuardingTls(ProtocolNegotiator tls, Consumer<String> onFlood)
      implements ProtocolNegotiator {
    @Override
    public AsciiString scheme() {
      return tls.scheme();
    }

    @Override
    public ChannelHandler newHandler(GrpcHttp2ConnectionHandler grpc) {
      return new TlsGuardInstaller(PeerGuard.forAccepted(onFlood), tls.newHandler(grpc));
    }

    @Override
    public void close() {
      tls.close();
    }
  }

  /**
   * Replaces itself by gRPC's handler, which adds the one that speaks TLS when the channel becomes
   * active, and then puts the guard behind that, where it sees plain text.
   */
  private static final class TlsGuardInstaller extends ChannelInboundHandlerAdapter {
    private final PeerGuard guard;
    private final ChannelHandler grpc;

    TlsGuardInstaller(PeerGuard guard, ChannelHandler grpc) {
      this.guard = guard;
      this.grpc = grpc;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      ChannelPipeline pipeline = context.pipeline();
      pipeline.addAfter(context.name(), null, grpc);
      if (context.channel().isActive()) {
        install(pipeline);
      }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      context.fireChannelActive();
      install(context.pipeline());
    }

    private void install(ChannelPipeline pipeline) {
      ChannelHandlerContext tls = pipeline.context(SslHandler.class);
      if (tls != null) {
        pipeline.addAfter(tls.name(), null, guard);
        pipeline.remove(this);
      }
    }
  }

  private record Guarding(ProtocolNegotiator plaintext, Consumer<String> onFlood)
      implements ProtocolNegotiator {
    @Override
    public AsciiString scheme() {
      return plaintext.scheme();
    }

    @Override
    public ChannelHandler newHandler(GrpcHttp2ConnectionHandler grpc) {
      return new GuardInstaller(PeerGuard.forAccepted(onFlood), plaintext.newHandler(grpc));
    }

    @Override
    public void close() {
      plaintext.close();
    }
  }

  /** Replaces itself by two handlers: the guard next to the socket, and gRPC's in its own place. */
  private static final class GuardInstaller extends ChannelHandlerAdapter {
    private final PeerGuard guard;
    private final ChannelHandler grpc;

    GuardInstaller(PeerGuard guard, ChannelHandler grpc) {
      this.guard = guard;
      this.grpc = grpc;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      context.pipeline().addFirst(guard);
      context.pipeline().replace(this, null, grpc);
    }
  }
}
