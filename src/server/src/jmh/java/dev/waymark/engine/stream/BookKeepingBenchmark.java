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

/** Accounting for windows, replay and credit. Payload size does not matter: nothing is copied. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class BookKeepingBenchmark {
  private static final int BYTES = 64;

  /** Requests in flight on one connection. */
  private static final int IN_FLIGHT = 16;

  private static final long WINDOW_BYTES = Limits.DEFAULTS.windowBytes();

  private final ByteBuf payload = ByteBufAllocator.DEFAULT.directBuffer(BYTES).writerIndex(BYTES);
  private final ClientStream passing = new ClientStream();
  private final ClientStream piped = new ClientStream();
  private final ClientStream replayed = new ClientStream();
  private final ReplyStream replies = new ReplyStream(Limits.DEFAULTS.replyWindowBytes());

  @Setup
  public void setUp() {
    for (int i = 0; i < IN_FLIGHT; i++) {
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

  /** One request in flight: the replay buffer becomes empty each time. */
  @Benchmark
  public long passAndConsume() {
    passing.pass(payload, false, true);
    passing.consume(passing.sentOffset());
    return passing.room(WINDOW_BYTES);
  }

  /** {@value #IN_FLIGHT} requests in flight, the oldest of which is consumed. */
  @Benchmark
  public long passAndConsumeOldest() {
    piped.pass(payload, false, true);
    piped.consume(piped.consumedOffset() + BYTES);
    return piped.room(WINDOW_BYTES);
  }

  /** An owner is lost, and everything that it was sent is sent again. Scores are per frame. */
  @Benchmark
  @OperationsPerInvocation(IN_FLIGHT)
  public long rewindAndReplay() {
    long bytes = replayed.rewind();
    for (int i = 0; i < IN_FLIGHT; i++) {
      Chunk again = Objects.requireNonNull(replayed.next(WINDOW_BYTES, true));
      again.payload().release();
    }
    return bytes;
  }

  /** A reply is received, committed and written, and its credit is returned when due. */
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
