package dev.waymark.pool;

import dev.waymark.core.Suspicion;

/** What happens to a pool, for logs and counters. Called on the control thread; must not block. */
public interface PoolEvents {
  /** Discovery found an upstream. */
  void onUpstreamFound(String pool, String upstream);

  /** Discovery does not name this upstream any longer. */
  void onUpstreamGone(String pool, String upstream);

  /**
   * The health of an upstream is another one now; texts as in {@link
   * dev.waymark.core.UpstreamView#health()}.
   */
  void onHealthChanged(String pool, String upstream, String from, String to);

  /**
   * An upstream that misbehaved gets no new connections.
   *
   * @param why what was the last straw
   * @param forNs for how long
   */
  void onUpstreamEjected(String pool, String upstream, Suspicion why, long forNs);

  /** Its ejection is over. */
  void onUpstreamReturned(String pool, String upstream);

  /** A name could not be resolved; what was known stays. Called for every try that failed. */
  void onDiscoveryFailed(String pool, String name, String reason);

  /**
   * A Watch ended, or could not be opened; it will be tried again. Called for every try that
   * failed.
   */
  void onHealthWatchBroken(String pool, String upstream, String reason);
}
