package dev.waymark.engine;

import dev.waymark.protocol.Mark;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Formatting and parsing of marks. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class MarkBenchmark {
  private Mark mark = new Mark(Mark.instance(1_790_000_000_000L, 0x2a55aa), 123_456_789L);
  private String text = mark.toString();

  @Benchmark
  public String write() {
    return mark.toString();
  }

  /** What the bridge does with the mark of a push, which may be any text. */
  @Benchmark
  public Mark checkAndParse() {
    return Mark.isMark(text) ? Mark.parse(text) : mark;
  }
}
