package dev.waymark.upstreams;

import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.net.dial.UpstreamProblem;
import org.jspecify.annotations.Nullable;

/** Receives the events of pools, for logs and counters. On the control thread; must not block. */
public interface PoolEvents {
  /** Called when discovery returns a new upstream. */
  void onUpstreamFound(String pool, String upstream);

  /** Called when discovery no longer returns this upstream. */
  void onUpstreamGone(String pool, String upstream);

  /**
   * Called when the health of an upstream changes; texts as in {@link
   * dev.waymark.engine.lane.UpstreamView#health()}.
   */
  void onHealthChanged(String pool, String upstream, String from, String to);

  /**
   * Called when an upstream is ejected: it gets no new connections.
   *
   * @param why the signal that reached the threshold
   * @param forNs the duration of the ejection
   */
  void onUpstreamEjected(String pool, String upstream, OutlierSignal why, long forNs);

  /** Called when an ejection is over. */
  void onUpstreamReturned(String pool, String upstream);

  /**
   * Called when an upstream does not serve: when a kind of problem first occurs, and then every
   * {@value ProblemReport#REPEAT_S} seconds while it lasts.
   *
   * @param forNs how long it has not served
   */
  void onUpstreamNotServing(String pool, String upstream, UpstreamProblem problem, long forNs);

  /** Called when the kind of an upstream's problem changes; null: it has no problem. */
  void onProblemChanged(
      String pool,
      String upstream,
      UpstreamProblem.@Nullable Kind from,
      UpstreamProblem.@Nullable Kind to);

  /**
   * Called when the name of a pool cannot be resolved, or its file not be used; the known upstreams
   * stay. Rate-limited like {@link #onUpstreamNotServing}.
   */
  void onDiscoveryFailing(String pool, String name, UpstreamProblem problem, long forNs);

  /** Called for every failed attempt to resolve a name or to read a file. */
  void onNotFound(String pool);

  /** Called for every Watch that ended or could not be opened; it will be retried. */
  void onHealthWatchBroken(String pool, String upstream, String reason);
}
