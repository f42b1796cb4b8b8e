package dev.waymark.tools.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

/** All counters of a run. Thread-safe; written by the workers, read by the timekeeper. */
final class Tally {
  /** Longer latencies are recorded as this value. */
  static final long LATENCY_MAX_NS = 3_600_000_000_000L;

  static final int DIGITS = 3;

  private static final int FAILURES_KEPT_MAX = 10;

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
   * A snapshot of the counters.
   *
   * @param answered requests answered in the measured time
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
    /** The number of errors, which make the run a failure. */
    long errors() {
      return refused + lost + wrong + unanswered;
    }
  }

  static Histogram histogram() {
    return new Histogram(LATENCY_MAX_NS, DIGITS);
  }

  /** Sets the measured time, from the first time inclusive to the second exclusive. */
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

  /** A connection that was open is gone, for whatever reason. */
  void closed() {
    open.decrement();
  }

  /**
   * A request was answered.
   *
   * @param countedAtNs the time that decides whether it counts as measured
   * @param latencyNs the time since it was sent, or due
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

  /** A request was sent but not answered by the end. */
  void unanswered(long countedAtNs, long waitedNs) {
    unanswered.increment();
    waited(countedAtNs, waitedNs);
  }

  /**
   * A request was due but not even sent by the end, because those before it were not answered.
   * Nothing is due after the measured time.
   */
  void unsent(long countedAtNs, long waitedNs) {
    if (countedAtNs < toNs) {
      unsent.increment();
      waited(countedAtNs, waitedNs);
    }
  }

  void refused(String why) {
    refused.increment();
    addFailure(why);
  }

  void lost(String why) {
    lost.increment();
    addFailure(why);
  }

  void wrong(Corruption corruption) {
    wrong.increment();
    addFailure(corruption.text());
  }

  // --- timekeeper ---

  /**
   * Returns the latencies since the last call, including warm-up, and adds the measured ones to the
   * total.
   */
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

  /** The first few distinct failures. */
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

  private void addFailure(String why) {
    synchronized (failures) {
      if (failures.size() < FAILURES_KEPT_MAX && !failures.contains(why)) {
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
