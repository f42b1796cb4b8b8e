package dev.waymark.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.SizeLimits;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.v1.BridgeBatch;
import dev.waymark.v1.UpstreamGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Batches over a real call: the upstream answers every frame with its payload, and the bridge
 * compares.
 */
class AttachMethodIT {
  private static final int ROUNDS = 200;
  private static final int[] PAYLOAD_BYTES = {0, 1, 100, 8191, 8192, 30_000, 65_536};

  /** The method as a bridge on grpc-java would use it. */
  private static final MethodDescriptor<OutboundBatch, InboundBatch> BRIDGE_SIDE =
      UpstreamGrpc.getAttachMethod().toBuilder(
              marshaller(
                  OutboundBatch::toMessage,
                  message -> {
                    throw wrongWay();
                  }),
              marshaller(
                  batch -> {
                    throw wrongWay();
                  },
                  InboundBatch::copyOf))
          .build();

  private final ExecutorService bridgeThread = Executors.newSingleThreadExecutor();
  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .addService(
                ServerServiceDefinition.builder(AttachMethod.upstreamService())
                    .addMethod(AttachMethod.upstreamSide(), AttachMethodIT::echo)
                    .build())
            .build()
            .start();
    channel =
        NettyChannelBuilder.forAddress(server.getListenSockets().getFirst())
            .usePlaintext()
            .disableRetry()
            .build();
  }

  @AfterEach
  void stop() throws InterruptedException {
    channel.shutdownNow();
    server.shutdownNow();
    assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    assertThat(server.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    bridgeThread.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"identity", "gzip"})
  void batches_ofManySizes_comeBackUnchanged(String compression) throws Exception {
    var bridge =
        new Bridge(CallOptions.DEFAULT.withExecutor(bridgeThread).withCompression(compression));
    bridgeThread.execute(bridge::start);
    assertThat(bridge.done.await(30, TimeUnit.SECONDS)).isTrue();
    assertThat(bridge.failure.get()).isNull();
    assertThat(bridge.round).isEqualTo(ROUNDS);
  }

  @Test
  void batch_sentOnAClosedCall_isReleased() {
    ClientCall<OutboundBatch, InboundBatch> call =
        channel.newCall(BRIDGE_SIDE, CallOptions.DEFAULT);
    var closed = new CountDownLatch(1);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            closed.countDown();
          }
        },
        new Metadata());
    await().atMost(Duration.ofSeconds(10)).until(call::isReady);
    server.shutdownNow();
    await().atMost(Duration.ofSeconds(10)).until(() -> closed.getCount() == 0);
    var writer = new BridgeBatchWriter();
    ByteBuf payload = Bytes.direct(9000);
    writer.data(1, 0, 0, payload, false, BridgeFrame.ABSENT);
    call.sendMessage(writer.batch());
    assertThat(payload.refCnt()).isZero();
    assertThat(writer.batch().isEmpty()).isTrue();
    call.cancel("done", null);
  }

  @ParameterizedTest
  @ValueSource(ints = {SizeLimits.BATCH_BYTES_MAX, SizeLimits.BATCH_BYTES_MAX + 1})
  void batch_fromAGeneratedClient_isAcceptedUpToTheLimit(int bytes) throws Exception {
    UnknownFieldSet.Field padding =
        UnknownFieldSet.Field.newBuilder()
            .addLengthDelimited(ByteString.copyFrom(new byte[bytes - 5]))
            .build();
    BridgeBatch batch =
        BridgeBatch.newBuilder()
            .setUnknownFields(UnknownFieldSet.newBuilder().addField(100, padding).build())
            .build();
    assertThat(batch.getSerializedSize()).isEqualTo(bytes);
    var lane = UpstreamGrpc.newBlockingV2Stub(channel).attach();
    lane.write(batch);
    if (bytes <= SizeLimits.BATCH_BYTES_MAX) {
      assertThat(lane.read(10, TimeUnit.SECONDS)).isNotNull();
    } else {
      assertThatThrownBy(() -> lane.read(10, TimeUnit.SECONDS))
          .isInstanceOf(StatusException.class)
          .hasMessage("INVALID_ARGUMENT: a batch of more than 1 MiB");
    }
    lane.cancel("done", null);
  }

  @Test
  void service_forReflection_namesItsProtoFile() {
    assertThat(AttachMethod.upstreamService().getName()).isEqualTo("waymark.v1.Upstream");
    assertThat(AttachMethod.upstreamSide().getFullMethodName())
        .isEqualTo("waymark.v1.Upstream/Attach");
    assertThat(AttachMethod.upstreamService().getSchemaDescriptor())
        .isInstanceOfSatisfying(
            ProtoFileDescriptorSupplier.class,
            file ->
                assertThat(file.getFileDescriptor().getName())
                    .isEqualTo("waymark/v1/attach.proto"));
  }

  private static <M> Marshaller<M> marshaller(
      Function<M, InputStream> stream, Function<InputStream, M> parse) {
    return new Marshaller<>() {
      @Override
      public InputStream stream(M message) {
        return stream.apply(message);
      }

      @Override
      public M parse(InputStream message) {
        return parse.apply(message);
      }
    };
  }

  private static AssertionError wrongWay() {
    return new AssertionError("such batches go in the other direction only");
  }

  private static ServerCall.Listener<InboundBatch> echo(
      ServerCall<InboundBatch, OutboundBatch> call, Metadata headers) {
    var reader = new BridgeFrameReader();
    var writer = new UpstreamBatchWriter();
    var frame = new BridgeFrame();
    call.sendHeaders(new Metadata());
    call.request(Integer.MAX_VALUE);
    return new ServerCall.Listener<>() {
      @Override
      public void onMessage(InboundBatch batch) {
        try {
          while (reader.read(batch.content(), frame)) {
            long consumed = frame.offset() + frame.payload().readableBytes();
            ByteBuf reply = frame.payload().retain();
            writer.data(
                frame.connection(), frame.epoch(), reply, consumed, null, false, frame.last(), 0);
          }
          call.sendMessage(writer.batch());
        } catch (MalformedFrameException e) {
          call.close(Status.INVALID_ARGUMENT.withDescription(e.getMessage()), new Metadata());
        } finally {
          batch.release();
        }
      }

      @Override
      public void onHalfClose() {
        call.close(Status.OK, new Metadata());
      }
    };
  }

  /**
   * Sends a batch, waits for the same frames to come back, and sends the next batch. Confined to
   * the bridge's thread.
   */
  private final class Bridge extends ClientCall.Listener<InboundBatch> {
    final CountDownLatch done = new CountDownLatch(1);
    final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    volatile int round;

    private final ClientCall<OutboundBatch, InboundBatch> call;
    private final BridgeBatchWriter writer = new BridgeBatchWriter();
    private final UpstreamFrameReader reader = new UpstreamFrameReader();
    private final UpstreamFrame frame = new UpstreamFrame();

    Bridge(CallOptions options) {
      call = channel.newCall(BRIDGE_SIDE, options);
    }

    void start() {
      call.start(this, new Metadata());
      call.request(Integer.MAX_VALUE);
    }

    @Override
    public void onHeaders(Metadata headers) {
      call.setMessageCompression(true);
      send();
    }

    @Override
    public void onMessage(InboundBatch batch) {
      try {
        for (int i = 0; i < PAYLOAD_BYTES.length; i++) {
          assertThat(reader.read(batch.content(), frame)).isTrue();
          assertThat(frame.connection()).isEqualTo(i + 1);
          assertThat(frame.epoch()).isEqualTo(round);
          assertThat(ByteBufUtil.getBytes(frame.payload()))
              .isEqualTo(Bytes.ofLength(PAYLOAD_BYTES[i]));
          assertThat(frame.consumed()).isEqualTo(round + PAYLOAD_BYTES[i]);
        }
        assertThat(reader.read(batch.content(), frame)).isFalse();
        next();
      } catch (MalformedFrameException | AssertionError e) {
        failure.set(e);
        call.cancel("failed", e);
      } finally {
        batch.release();
      }
    }

    private void next() {
      round++;
      if (round < ROUNDS) {
        send();
      } else {
        call.halfClose();
      }
    }

    private void send() {
      for (int i = 0; i < PAYLOAD_BYTES.length; i++) {
        ByteBuf payload =
            ByteBufAllocator.DEFAULT.buffer().writeBytes(Bytes.ofLength(PAYLOAD_BYTES[i]));
        writer.data(i + 1, round, round, payload, i % 2 == 0, BridgeFrame.ABSENT);
      }
      call.sendMessage(writer.batch());
      assertThat(writer.batch().isEmpty()).isTrue();
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!status.isOk()) {
        failure.compareAndSet(null, status.asException());
      }
      done.countDown();
    }
  }
}
