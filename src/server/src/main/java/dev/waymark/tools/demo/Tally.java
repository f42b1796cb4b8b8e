package dev.waymark.tools.demo;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What all clients have seen together. Thread-safe. */
final class Tally {
  private final LongAdder requests = new LongAdder();
  private final LongAdder replies = new LongAdder();
  private final LongAdder lost = new LongAdder();
  private final LongAdder twice = new LongAdder();
  private final LongAdder closes = new LongAdder();
  private final AtomicLong longestPauseNs = new AtomicLong();
  private final AtomicLong latestPauseNs = new AtomicLong();

  /**
   * A snapshot of the counts.
   *
   * @param lost replies that never came or were wrong
   * @param twice replies that came more than once
   * @param closes connections that ended but should not have
   * @param longestPauseNs the longest time from a request to its reply
   */
  record Totals(
      long requests, long replies, long lost, long twice, long closes, long longestPauseNs) {
    /** Whether every reply came exactly once and every connection stayed open. */
    boolean isFlawless() {
      return lost == 0 && twice == 0 && closes == 0;
    }
  }

  void sent() {
    requests.increment();
  }

  void replied(long pauseNs) {
    replies.increment();
    longestPauseNs.accumulateAndGet(pauseNs, Math::max);
    latestPauseNs.accumulateAndGet(pauseNs, Math::max);
  }

  void lost(long count) {
    lost.add(count);
  }

  void twice() {
    twice.increment();
  }

  void closed() {
    closes.increment();
  }

  /** Returns the longest pause since the last call. */
  long takeLatestPauseNs() {
    return latestPauseNs.getAndSet(0);
  }

  Totals totals() {
    return new Totals(
        requests.sum(), replies.sum(), lost.sum(), twice.sum(), closes.sum(), longestPauseNs.get());
  }
}
