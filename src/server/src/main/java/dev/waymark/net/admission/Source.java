package dev.waymark.net.admission;

/**
 * What is remembered about a source: its open connections, and how often it has connected. Not
 * thread-safe: only {@link Admission} looks inside.
 */
public final class Source {
  private final long key;
  private int connections;

  /** See {@link Rate}. */
  private long fullAtNs;

  /**
   * @param key of the table
   */
  Source(long key, long nowNs) {
    this.key = key;
    this.fullAtNs = nowNs;
  }

  long key() {
    return key;
  }

  int connections() {
    return connections;
  }

  boolean allows(Rate rate, long nowNs) {
    fullAtNs = rate.bounded(fullAtNs, nowNs);
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
