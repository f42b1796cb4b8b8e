package dev.waymark.protocol.http2;

import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiator.ProtocolNegotiator;
import io.grpc.netty.InternalProtocolNegotiators;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerAdapter;
import io.netty.channel.ChannelHandlerContext;
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
