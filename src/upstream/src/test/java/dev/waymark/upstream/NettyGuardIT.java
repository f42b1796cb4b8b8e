package dev.waymark.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.testing.Frames;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guarded server with a misbehaving client. */
final class NettyGuardIT {
  private Server server;

  @BeforeEach
  void start() throws IOException {
    var loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    server =
        NettyGuard.guard(NettyServerBuilder.forAddress(loopback))
            .addService(new HealthStatusManager().getHealthService())
            .build()
            .start();
  }

  @AfterEach
  void stop() throws InterruptedException {
    server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
  }

  @ParameterizedTest
  @ValueSource(
      bytes = {
        Http2FrameTypes.SETTINGS,
        Http2FrameTypes.WINDOW_UPDATE,
        Http2FrameTypes.PRIORITY,
        (byte) 0xfa
      })
  void client_flooding_isClosedWithTheReasonWhileOthersAreServed(byte type) throws Exception {
    ManagedChannel other =
        NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext().build();
    try (var flooder = new Socket(InetAddress.getLoopbackAddress(), server.getPort())) {
      flooder.setSoTimeout(5_000);
      byte[] flood = ByteBufUtil.getBytes(Frames.times(2_000, harmless(type)));
      Thread.ofVirtual().start(() -> send(flooder, flood));

      assertThat(readToEnd(flooder.getInputStream()))
          .contains("HTTP/2 flood: the client sent more than 1000 control frames");
      assertThat(
              HealthGrpc.newBlockingStub(other)
                  .check(HealthCheckRequest.getDefaultInstance())
                  .getStatus())
          .isEqualTo(ServingStatus.SERVING);
    } finally {
      other.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  /** A frame that on its own violates no rule of HTTP/2. */
  private static ByteBuf harmless(byte type) {
    return switch (type) {
      case Http2FrameTypes.WINDOW_UPDATE ->
          Frames.frame(type, Frames.NO_FLAGS, 0, new byte[] {0, 0, 0, 1});
      case Http2FrameTypes.PRIORITY ->
          Frames.frame(type, Frames.NO_FLAGS, 1, new byte[] {0, 0, 0, 0, 16});
      case Http2FrameTypes.SETTINGS -> Frames.frame(type, 0);
      default -> Frames.frame(type, 10);
    };
  }

  private static void send(Socket socket, byte[] flood) {
    try {
      var out = socket.getOutputStream();
      out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      out.write(ByteBufUtil.getBytes(Frames.frame(Http2FrameTypes.SETTINGS, 0)));
      while (!socket.isClosed()) {
        out.write(flood);
      }
    } catch (IOException closed) {
      // Expected: the server closes the connection.
    }
  }

  /** Reads until the end or a reset. The server resets because it has not read everything. */
  private static String readToEnd(InputStream in) throws IOException {
    var text = new StringBuilder();
    byte[] chunk = new byte[4_096];
    try {
      for (int bytes = in.read(chunk); bytes >= 0; bytes = in.read(chunk)) {
        text.append(new String(chunk, 0, bytes, StandardCharsets.ISO_8859_1));
      }
    } catch (SocketException reset) {
      text.append(" reset");
    }
    return text.toString();
  }
}
