package dev.waymark.net.admission;

/**
 * What is remembered about a source: its open connections, and how often it has connected. Not
 * thread-safe: only {@link Admission} looks inside.
 */
public final class Source {
  private int connections;

  /** See {@link Rate}. */
  private long fullAtNs;

  Source(long nowNs) {
    fullAtNs = nowNs;
  }

  int connections() {
    return connections;
  }

  boolean allows(Rate rate, long nowNs) {
    return rate.allows(fullAtNs, rate.intervalNs(), nowNs);
  }

  void enter() {
    connections++;
  }

  void take(Rate rate, long nowNs) {
    fullAtNs = Rate.after(fullAtNs, rate.intervalNs(), nowNs);
  }

  void leave() {
    connections--;
  }

  /** Whether there is nothing to remember: it is like a source never seen before. */
  boolean isBlank(long nowNs) {
    return connections == 0 && Rate.missingNs(fullAtNs, nowNs) == 0;
  }
}
