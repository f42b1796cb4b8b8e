package dev.waymark.protocol.http2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.testing.Frames;
import dev.waymark.testing.RawServer;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A gRPC client behind the guard, against misbehaving servers. */
final class PeerGuardIT {
  /** A HealthCheckResponse with SERVING as a gRPC message. */
  private static final byte[] SERVING = {0, 0, 0, 0, 2, 0x08, 0x01};

  /** Small, so that a peer that does not read is noticed soon. */
  private static final int SOCKET_BYTES = 64 * 1024;

  private static final MultiThreadIoEventLoopGroup LOOP =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  private final List<String> floods = new CopyOnWriteArrayList<>();
  private final List<Object> answers = new CopyOnWriteArrayList<>();
  private @Nullable ManagedChannel channel;

  @AfterAll
  static void endLoop() {
    LOOP.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @AfterEach
  void shutDown() throws InterruptedException {
    if (channel != null) {
      assertThat(channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS)).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 500})
  void emptyData_betweenAndWithinMessages_isHarmless(int empties) throws Exception {
    try (var server =
        RawServer.start(connection -> {
          connection.sendHeaders();
          for (int i = 0; i < 2; i++) {
            connection.send(Frames.times(empties, data(0, 0)));
            connection.send(padded());
            connection.send(data(0, 1));
            connection.send(Frames.times(empties / 2, data(0, 0)));
            connection.send(padded());
            connection.send(data(1, SERVING.length));
          }
          connection.drain();
        })) {
      watch(server);

      await().until(() -> answers.size() >= 2);
      assertThat(answers).hasOnlyElementsOfType(HealthCheckResponse.class);
      assertThat(floods).isEmpty();
    }
  }

  @Test
  void flood_isCutOff() throws Exception {
    var closed = new CountDownLatch(1);
    try (var server =
        RawServer.start(connection -> {
          try {
            connection.flood();
          } finally {
            closed.countDown();
          }
        })) {
      watch(server);

      assertThat(closed.await(5, TimeUnit.SECONDS)).isTrue();
      await().until(() -> !answers.isEmpty());
      assertThat(answers).hasOnlyElementsOfType(Throwable.class);
      assertThat(floods).singleElement().asString().startsWith("HTTP/2 flood: the upstream sent");
    }
  }

  @Test
  void peer_notReading_isCutOff() throws Exception {
    // A DATA frame before each PING keeps the meter quiet. The server reads none of the answers.
    ByteBuf exchange = Unpooled.wrappedBuffer(data(0, SERVING.length), Frames.ping());
    try (var server =
        RawServer.start(connection -> {
          connection.sendHeaders();
          connection.sendForever(Frames.times(1_000, exchange));
        })) {
      watch(server);

      await().atMost(30, TimeUnit.SECONDS).until(() -> !floods.isEmpty());
      assertThat(floods).singleElement().asString().contains("does not read the answers");
    }
  }

  @Test
  void peer_notReadingGoAway_isNotWaitedFor() throws Exception {
    var closed = new CountDownLatch(1);
    ByteBuf answers = Frames.times(1_000, data(0, SERVING.length));
    try (var server =
        RawServer.start(connection -> {
          connection.sendHeaders();
          try {
            connection.sendForever(answers);
          } finally {
            closed.countDown();
          }
        })) {
      ManagedChannel watching = watch(server);
      await().until(() -> !this.answers.isEmpty());
      watching.shutdownNow();

      assertThat(closed.await(5, TimeUnit.SECONDS)).isTrue();
      assertThat(floods).isEmpty();
    }
  }

  private ManagedChannel watch(RawServer server) {
    var address = new InetSocketAddress("127.0.0.1", server.port());
    ManagedChannel opened =
        NettyChannelBuilder.forAddress(address)
            .usePlaintext()
            .eventLoopGroup(LOOP)
            .channelFactory(
                () -> {
                  Channel dialled = new NioSocketChannel();
                  dialled.pipeline().addLast(PeerGuard.forDialled(floods::add, () -> {}));
                  return dialled;
                },
                InetSocketAddress.class)
            .withOption(ChannelOption.SO_SNDBUF, SOCKET_BYTES)
            .directExecutor()
            .build();
    channel = opened;
    HealthGrpc.newStub(opened)
        .watch(
            HealthCheckRequest.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(HealthCheckResponse response) {
                // A flood of responses must not fill this list.
                if (answers.size() < 10) {
                  answers.add(response);
                }
              }

              @Override
              public void onError(Throwable failure) {
                answers.add(failure);
              }

              @Override
              public void onCompleted() {}
            });
    return opened;
  }

  /** A DATA frame with bytes {@code from} to {@code to} (exclusive) of {@link #SERVING}. */
  private static ByteBuf data(int from, int to) {
    byte[] bytes = new byte[to - from];
    System.arraycopy(SERVING, from, bytes, 0, bytes.length);
    return Frames.frame(Http2FrameTypes.DATA, Frames.NO_FLAGS, RawServer.STREAM, bytes);
  }

  /** A DATA frame with only padding. */
  private static ByteBuf padded() {
    byte[] payload = {4, 0, 0, 0, 0};
    return Frames.frame(Http2FrameTypes.DATA, Frames.PADDED, RawServer.STREAM, payload);
  }
}
