package dev.waymark.engine.stream;

import dev.waymark.engine.base.Limits;
import dev.waymark.engine.stream.ClientStream.Chunk;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Windows, what is kept for replay, and credit. Sizes do not matter: nothing is copied. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class BookKeepingBenchmark {
  private static final int BYTES = 64;

  /** Requests under way on one connection. */
  private static final int UNDER_WAY = 16;

  private static final long WINDOW_BYTES = Limits.DEFAULTS.windowBytes();

  private final ByteBuf payload = ByteBufAllocator.DEFAULT.directBuffer(BYTES).writerIndex(BYTES);
  private final ClientStream passing = new ClientStream();
  private final ClientStream piped = new ClientStream();
  private final ClientStream replayed = new ClientStream();
  private final ReplyStream replies = new ReplyStream(Limits.DEFAULTS.replyWindowBytes());

  @Setup
  public void setUp() {
    for (int i = 0; i < UNDER_WAY; i++) {
      piped.pass(payload, false, true);
      replayed.pass(payload, false, true);
    }
  }

  @TearDown
  public void tearDown() {
    piped.release();
    replayed.release();
    payload.release();
  }

  /** One request under way: what is kept becomes nothing again each time. */
  @Benchmark
  public long passAndConsume() {
    passing.pass(payload, false, true);
    passing.consume(passing.sentOffset());
    return passing.room(WINDOW_BYTES);
  }

  /** {@value #UNDER_WAY} requests under way, the oldest of which is consumed. */
  @Benchmark
  public long passAndConsumeOldest() {
    piped.pass(payload, false, true);
    piped.consume(piped.consumedOffset() + BYTES);
    return piped.room(WINDOW_BYTES);
  }

  /** An owner is lost, and all that it had is sent again; for each frame. */
  @Benchmark
  @OperationsPerInvocation(UNDER_WAY)
  public long rewindAndReplay() {
    long bytes = replayed.rewind();
    for (int i = 0; i < UNDER_WAY; i++) {
      Chunk again = Objects.requireNonNull(replayed.next(WINDOW_BYTES, true));
      again.payload().release();
    }
    return bytes;
  }

  /** A reply is received, taken, written, and its credit given back when it is due. */
  @Benchmark
  public long replyAndCredit() {
    replies.receive(BYTES);
    replies.take(BYTES);
    replies.endReply();
    replies.written(BYTES, 1);
    if (replies.isCreditDue()) {
      replies.creditSent();
    }
    return replies.limitOffset();
  }
}
