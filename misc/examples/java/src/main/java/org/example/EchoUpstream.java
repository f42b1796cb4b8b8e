package org.example;

import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.Upstream;
import dev.waymark.upstream.UpstreamConnection;
import dev.waymark.upstream.UpstreamServer;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.net.InetSocketAddress;
import java.time.Duration;

/** An upstream that echoes and acknowledges, so that its connections outlive it. */
public final class EchoUpstream {
  private record Echo(UpstreamConnection connection) implements ConnectionHandler.OfBytes {
    @Override
    public void onData(byte[] data, long endOffset) {
      connection.commit(data, endOffset);
    }

    @Override
    public void onHalfClose() {
      connection.halfClose();
    }
  }

  private EchoUpstream() {}

  static Upstream upstream() {
    return Upstream.builder(Echo::new).build();
  }

  /** Serves on HOST:PORT until the process is stopped. */
  public static void main(String[] arguments) throws Exception {
    String address = arguments.length == 0 ? "127.0.0.1:4770" : arguments[0];
    int colon = address.lastIndexOf(':');
    var socket =
        new InetSocketAddress(
            address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
    UpstreamServer server =
        UpstreamServer.start(upstream(), NettyServerBuilder.forAddress(socket))
            .drainOnShutdown(Duration.ofSeconds(20));
    System.out.println("java upstream on " + address);
    server.awaitTermination();
  }
}
