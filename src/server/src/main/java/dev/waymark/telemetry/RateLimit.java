package dev.waymark.telemetry;

import java.util.concurrent.locks.ReentrantLock;

/** Lets the first few of each interval pass and counts the rest. Thread-safe. */
final class RateLimit {
  /** May not be written. */
  static final long REFUSED = -1;

  static final int LINES_MAX = 20;
  static final long INTERVAL_NS = 10_000_000_000L;

  private final ReentrantLock lock = new ReentrantLock();
  private boolean isStarted;
  private long intervalEndNs;
  private int lines;
  private long suppressed;

  /** How many were suppressed since the last one that passed, or REFUSED. */
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

  /** How many were suppressed and not yet told, once their interval is over; else 0. */
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
