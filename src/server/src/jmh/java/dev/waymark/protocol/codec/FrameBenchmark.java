package dev.waymark.protocol.codec;

import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.UpstreamFrame;
import io.grpc.Drainable;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Encoding and decoding of batches of {@value #FRAMES} data frames. Scores are per frame. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH calls setUp.
public class FrameBenchmark {
  private static final int FRAMES = 16;

  /** These values make varints as long as on a bridge that has run for a while. */
  private static final long CONNECTION = 1_000_000;

  private static final int EPOCH = 3;
  private static final long OFFSET = 10_000_000;

  @Param({"64", "1024", "16384"})
  private int payloadBytes;

  private final BridgeBatchWriter bridgeWriter = new BridgeBatchWriter();
  private final UpstreamBatchWriter upstreamWriter = new UpstreamBatchWriter();
  private final BridgeFrameReader bridgeReader = new BridgeFrameReader();
  private final UpstreamFrameReader upstreamReader = new UpstreamFrameReader();
  private final BridgeFrame bridgeFrame = new BridgeFrame();
  private final UpstreamFrame upstreamFrame = new UpstreamFrame();
  private final Buffers buffers = new Buffers();
  private ByteBuf payload;
  private ByteBuf bridgeBatch;
  private ByteBuf upstreamBatch;

  @Setup
  public void setUp() throws IOException {
    payload = ByteBufAllocator.DEFAULT.directBuffer(payloadBytes).writerIndex(payloadBytes);
    fillBridgeBatch();
    bridgeBatch = encoded(bridgeWriter.batch());
    fillUpstreamBatch();
    upstreamBatch = encoded(upstreamWriter.batch());
  }

  /** Client bytes, as a bridge sends them. */
  @Benchmark
  @OperationsPerInvocation(FRAMES)
  public int encodeData() throws IOException {
    fillBridgeBatch();
    return drain(bridgeWriter.batch(), buffers);
  }

  /** Replies with {@code consumed}, as an upstream sends them. */
  @Benchmark
  @OperationsPerInvocation(FRAMES)
  public int encodeReply() throws IOException {
    fillUpstreamBatch();
    return drain(upstreamWriter.batch(), buffers);
  }

  /** Client bytes, as an upstream reads them. */
  @Benchmark
  @OperationsPerInvocation(FRAMES)
  public long decodeData() throws MalformedFrameException {
    long read = 0;
    bridgeBatch.readerIndex(0);
    while (bridgeReader.read(bridgeBatch, bridgeFrame)) {
      read += bridgeFrame.offset() + bridgeFrame.payload().readableBytes();
    }
    return read;
  }

  /** Replies with {@code consumed}, as a bridge reads them. */
  @Benchmark
  @OperationsPerInvocation(FRAMES)
  public long decodeReply() throws MalformedFrameException {
    long read = 0;
    upstreamBatch.readerIndex(0);
    while (upstreamReader.read(upstreamBatch, upstreamFrame)) {
      read += upstreamFrame.consumed() + upstreamFrame.payload().readableBytes();
    }
    return read;
  }

  private void fillBridgeBatch() {
    for (int i = 0; i < FRAMES; i++) {
      bridgeWriter.data(CONNECTION + i, EPOCH, OFFSET, payload.retain(), false, BridgeFrame.ABSENT);
    }
  }

  private void fillUpstreamBatch() {
    for (int i = 0; i < FRAMES; i++) {
      upstreamWriter.data(CONNECTION + i, EPOCH, payload.retain(), OFFSET, null, false, false, 0);
    }
  }

  private static int drain(OutboundBatch batch, OutputStream target) throws IOException {
    try (InputStream message = batch.toMessage()) {
      return ((Drainable) message).drainTo(target);
    }
  }

  private static ByteBuf encoded(OutboundBatch batch) throws IOException {
    var target = new ByteArrayOutputStream();
    drain(batch, target);
    return ByteBufAllocator.DEFAULT.directBuffer(target.size()).writeBytes(target.toByteArray());
  }

  /** Copies what is written chunk by chunk, as gRPC does into the transport's buffers. */
  private static final class Buffers extends OutputStream {
    private final ByteBuf buffer = ByteBufAllocator.DEFAULT.directBuffer(64 * 1024, 64 * 1024);

    @Override
    public void write(int value) {
      buffer.clear().writeByte(value);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      int end = offset + length;
      for (int at = offset; at < end; at += buffer.capacity()) {
        buffer.clear().writeBytes(bytes, at, Math.min(buffer.capacity(), end - at));
      }
    }
  }
}
