package dev.waymark.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.waymark.v1.BridgeBatch;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.Hello;
import dev.waymark.v1.Open;
import dev.waymark.v1.Ping;
import dev.waymark.v1.UpstreamBatch;
import dev.waymark.v1.UpstreamFrame;
import dev.waymark.v1.UpstreamGrpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.buffer.ByteBuf;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The same upstream on every gRPC transport for Java. */
final class GrpcTransportsIT {
  private static final int MESSAGES = 300;
  private static final int PAYLOAD_BYTES_MAX = 64 * 1024;
  private static final InetSocketAddress LOOPBACK =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  enum Transport {
    NETTY {
      @Override
      ServerBuilder<?> server() {
        return NettyServerBuilder.forAddress(LOOPBACK);
      }

      @Override
      ManagedChannelBuilder<?> channel(int port) {
        return NettyChannelBuilder.forAddress("127.0.0.1", port);
      }
    },
    GUARDED_NETTY {
      @Override
      ServerBuilder<?> server() {
        return NettyGuard.guard(NettyServerBuilder.forAddress(LOOPBACK));
      }

      @Override
      ManagedChannelBuilder<?> channel(int port) {
        return NETTY.channel(port);
      }
    },
    SHADED_NETTY {
      @Override
      ServerBuilder<?> server() {
        return io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder.forAddress(LOOPBACK);
      }

      @Override
      ManagedChannelBuilder<?> channel(int port) {
        return io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder.forAddress("127.0.0.1", port);
      }
    },
    /** Delivers messages later, on the client's threads. */
    IN_PROCESS {
      @Override
      ServerBuilder<?> server() {
        return InProcessServerBuilder.forName(name());
      }

      @Override
      ManagedChannelBuilder<?> channel(int port) {
        return InProcessChannelBuilder.forName(name());
      }
    },
    /** Delivers messages while they are sent. */
    IN_PROCESS_DIRECT {
      @Override
      ServerBuilder<?> server() {
        return InProcessServerBuilder.forName(name());
      }

      @Override
      ManagedChannelBuilder<?> channel(int port) {
        return InProcessChannelBuilder.forName(name()).directExecutor();
      }
    };

    abstract ServerBuilder<?> server();

    abstract ManagedChannelBuilder<?> channel(int port);
  }

  private record Echo(UpstreamConnection connection) implements ConnectionHandler {
    @Override
    public void onData(ByteBuf data, long endOffset) {
      connection.commit(data.retainedSlice(), endOffset);
    }

    @Override
    public void onHalfClose() {
      connection.halfClose();
    }
  }

  @ParameterizedTest
  @EnumSource
  void upstream_onEachTransport_echoesEveryByteAndServesHealth(Transport transport)
      throws Exception {
    Upstream upstream = Upstream.builder(Echo::new).build();
    try (UpstreamServer server = UpstreamServer.start(upstream, transport.server())) {
      ManagedChannel channel = transport.channel(server.port()).usePlaintext().build();
      try {
        assertThat(
                HealthGrpc.newBlockingStub(channel)
                    .check(HealthCheckRequest.getDefaultInstance())
                    .getStatus())
            .isEqualTo(ServingStatus.SERVING);
        exchange(channel);
      } finally {
        channel.shutdownNow();
        assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void server_closed_saysDrainingAndEndsItsLanes(Transport transport) throws Exception {
    Upstream upstream = Upstream.builder(Echo::new).build();
    UpstreamServer server = UpstreamServer.start(upstream, transport.server());
    ManagedChannel channel = transport.channel(server.port()).usePlaintext().build();
    try {
      var answers = new Answers();
      UpstreamGrpc.newStub(channel).attach(answers);
      assertThat(answers.next().hasSettings()).isTrue();
      server.close();
      assertThat(answers.next().hasDraining()).isTrue();
      assertThat(answers.ended.poll(10, TimeUnit.SECONDS)).isEqualTo("OK");
    } finally {
      channel.shutdownNow();
    }
  }

  private static void exchange(ManagedChannel channel) throws Exception {
    var answers = new Answers();
    StreamObserver<BridgeBatch> lane = UpstreamGrpc.newStub(channel).attach(answers);
    lane.onNext(
        batch(
            BridgeFrame.newBuilder().setHello(Hello.newBuilder().setRevision(1)),
            frame().setOpen(Open.newBuilder().setMark("m").setLimit(1L << 40))));
    assertThat(answers.next().hasSettings()).isTrue();
    var random = new Random(1);
    byte[] sent = new byte[PAYLOAD_BYTES_MAX];
    long sentOffset = 0;
    for (int message = 0; message < MESSAGES; message++) {
      // Some payloads are small enough to be copied into the batch, others stay in their own
      // buffers.
      byte[] payload = new byte[1 + random.nextInt(message % 10 == 0 ? sent.length : 200)];
      random.nextBytes(payload);
      lane.onNext(
          batch(
              frame().setOffset(sentOffset).setPayload(ByteString.copyFrom(payload)),
              BridgeFrame.newBuilder().setPing(Ping.newBuilder().setId(message))));
      sentOffset += payload.length;
      // A reply waits while the transport is full; a Pong does not.
      UpstreamFrame first = answers.next();
      UpstreamFrame second = answers.next();
      UpstreamFrame reply = first.hasPong() ? second : first;
      UpstreamFrame pong = first.hasPong() ? first : second;
      assertThat(reply.getPayload().toByteArray()).isEqualTo(payload);
      assertThat(reply.getConsumed()).isEqualTo(sentOffset);
      assertThat(pong.getPong().getId()).isEqualTo(message);
    }
    lane.onNext(batch(frame().setHalfClose(HalfClose.newBuilder().setOffset(sentOffset))));
    assertThat(answers.next().getHalfClose()).isTrue();
    lane.onCompleted();
    assertThat(answers.ended.poll(10, TimeUnit.SECONDS)).isEqualTo("OK");
  }

  private static BridgeFrame.Builder frame() {
    return BridgeFrame.newBuilder().setConnection(1);
  }

  private static BridgeBatch batch(BridgeFrame.Builder... frames) {
    var batch = BridgeBatch.newBuilder();
    for (BridgeFrame.Builder frame : frames) {
      batch.addFrames(frame);
    }
    return batch.build();
  }

  /** The frames that the upstream sends. Thread-safe. */
  private static final class Answers implements StreamObserver<UpstreamBatch> {
    final LinkedBlockingQueue<String> ended = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<UpstreamFrame> frames = new LinkedBlockingQueue<>();

    UpstreamFrame next() throws InterruptedException {
      @Nullable UpstreamFrame next = frames.poll(10, TimeUnit.SECONDS);
      assertThat(next).as("the lane ended with " + ended).isNotNull();
      return next;
    }

    @Override
    public void onNext(UpstreamBatch batch) {
      frames.addAll(batch.getFramesList());
    }

    @Override
    public void onError(Throwable failure) {
      ended.add(failure.toString());
    }

    @Override
    public void onCompleted() {
      ended.add("OK");
    }
  }
}
