package dev.waymark.tools.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

/** Everything that is counted. Thread-safe; written by the workers, read by the timekeeper. */
final class Tally {
  /** What is longer is counted as this long. */
  static final long LATENCY_MAX_NS = 3_600_000_000_000L;

  static final int DIGITS = 3;

  private static final int FAILURES_TOLD_MAX = 10;

  private final Recorder warmup = recorder();
  private final Recorder measured = recorder();
  private final Recorder connects = recorder();
  private final LongAdder answered = new LongAdder();
  private final LongAdder bytes = new LongAdder();
  private final LongAdder connected = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder lost = new LongAdder();
  private final LongAdder wrong = new LongAdder();
  private final LongAdder unanswered = new LongAdder();
  private final LongAdder unsent = new LongAdder();
  private final LongAdder open = new LongAdder();
  private final List<String> failures = new ArrayList<>();
  private volatile long fromNs = Long.MAX_VALUE;
  private volatile long toNs = Long.MAX_VALUE;

  /**
   * Sums at one moment.
   *
   * @param answered requests of the measured time, as are their bytes
   */
  record Counts(
      long answered,
      long connected,
      long refused,
      long lost,
      long wrong,
      long unanswered,
      long unsent,
      long bytes) {
    /** What makes the run a failed one. */
    long errors() {
      return refused + lost + wrong + unanswered;
    }
  }

  static Histogram histogram() {
    return new Histogram(LATENCY_MAX_NS, DIGITS);
  }

  /** What is measured: the times of {@link #answered} from the one on, before the other. */
  void window(long fromNs, long toNs) {
    this.toNs = toNs;
    this.fromNs = fromNs;
  }

  // --- workers ---

  void connected(long durationNs) {
    connected.increment();
    open.increment();
    connects.recordValue(bounded(durationNs));
  }

  /** A connection is gone, in whatever way. */
  void closed() {
    open.decrement();
  }

  /**
   * @param countedAtNs when it counts: if that is in the measured time, it is measured
   * @param latencyNs from when it was sent, or due
   */
  void answered(long countedAtNs, long latencyNs, int size) {
    if (countedAtNs < fromNs) {
      warmup.recordValue(bounded(latencyNs));
    } else if (countedAtNs < toNs) {
      measured.recordValue(bounded(latencyNs));
      answered.increment();
      bytes.add(size);
    }
  }

  /** Sent, and no answer by the end. */
  void unanswered(long countedAtNs, long waitedNs) {
    unanswered.increment();
    waited(countedAtNs, waitedNs);
  }

  /**
   * Due, and not even sent by the end, since those before it were not answered; nothing is due from
   * the end of the measured time on.
   */
  void unsent(long countedAtNs, long waitedNs) {
    if (countedAtNs < toNs) {
      unsent.increment();
      waited(countedAtNs, waitedNs);
    }
  }

  void refused(String why) {
    refused.increment();
    tell(why);
  }

  void lost(String why) {
    lost.increment();
    tell(why);
  }

  void wrong(Corruption corruption) {
    wrong.increment();
    tell(corruption.text());
  }

  // --- timekeeper ---

  /** What was answered since the last call, warming up or not. */
  Histogram takeInterval(Histogram total) {
    Histogram interval = measured.getIntervalHistogram();
    total.add(interval);
    interval.add(warmup.getIntervalHistogram());
    return interval;
  }

  Histogram connectTimes() {
    return connects.getIntervalHistogram();
  }

  Counts counts() {
    return new Counts(
        answered.sum(),
        connected.sum(),
        refused.sum(),
        lost.sum(),
        wrong.sum(),
        unanswered.sum(),
        unsent.sum(),
        bytes.sum());
  }

  long open() {
    return open.sum();
  }

  /** The first few things that went wrong, each said once. */
  List<String> failures() {
    synchronized (failures) {
      return List.copyOf(failures);
    }
  }

  private void waited(long countedAtNs, long waitedNs) {
    if (countedAtNs >= fromNs && countedAtNs < toNs) {
      measured.recordValue(bounded(waitedNs));
    }
  }

  private void tell(String why) {
    synchronized (failures) {
      if (failures.size() < FAILURES_TOLD_MAX && !failures.contains(why)) {
        failures.add(why);
      }
    }
  }

  private static long bounded(long ns) {
    return Math.clamp(ns, 0, LATENCY_MAX_NS);
  }

  private static Recorder recorder() {
    return new Recorder(LATENCY_MAX_NS, DIGITS);
  }
}
