package dev.waymark.upstreams;

import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** A real gRPC server with nothing but a health service. */
final class HealthServer implements AutoCloseable {
  private final HealthStatusManager health = new HealthStatusManager();
  private final Server server;
  private final String address;

  HealthServer(ServingStatus status) throws IOException {
    health.setStatus("", status);
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(health.getHealthService())
            .build()
            .start();
    address = "127.0.0.1:" + server.getPort();
  }

  String address() {
    return address;
  }

  void say(ServingStatus status) {
    say("", status);
  }

  void say(String service, ServingStatus status) {
    health.setStatus(service, status);
  }

  @Override
  public void close() {
    server.shutdownNow();
  }
}
