package dev.waymark.telemetry;

import java.util.concurrent.locks.ReentrantLock;

/** Passes the first few lines of each interval and counts the others. Thread-safe. */
final class RateLimit {
  /** Returned by {@link #pass} if the line must not be written. */
  static final long REFUSED = -1;

  static final int LINES_MAX = 20;
  static final long INTERVAL_NS = 10_000_000_000L;

  private final ReentrantLock lock = new ReentrantLock();
  private boolean isStarted;
  private long intervalEndNs;
  private int lines;
  private long suppressed;

  /** Returns how many lines were suppressed since the last that passed, or {@link #REFUSED}. */
  long pass(long nowNs) {
    lock.lock();
    try {
      startInterval(nowNs);
      if (lines == LINES_MAX) {
        suppressed++;
        return REFUSED;
      }
      lines++;
      return takeSuppressed();
    } finally {
      lock.unlock();
    }
  }

  /** Returns how many suppressed lines are unreported after their interval; otherwise 0. */
  long takeOverdue(long nowNs) {
    lock.lock();
    try {
      return isStarted && nowNs - intervalEndNs >= 0 ? takeSuppressed() : 0;
    } finally {
      lock.unlock();
    }
  }

  private void startInterval(long nowNs) {
    if (!isStarted || nowNs - intervalEndNs >= 0) {
      isStarted = true;
      intervalEndNs = nowNs + INTERVAL_NS;
      lines = 0;
    }
  }

  private long takeSuppressed() {
    long taken = suppressed;
    suppressed = 0;
    return taken;
  }
}
