package dev.waymark.upstreams;

import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.net.dial.UpstreamProblem;
import org.jspecify.annotations.Nullable;

/** What happens to a pool, for logs and counters. Called on the control thread; must not block. */
public interface PoolEvents {
  /** Discovery found an upstream. */
  void onUpstreamFound(String pool, String upstream);

  /** Discovery does not name this upstream any longer. */
  void onUpstreamGone(String pool, String upstream);

  /**
   * The health of an upstream is another one now; texts as in {@link
   * dev.waymark.engine.lane.UpstreamView#health()}.
   */
  void onHealthChanged(String pool, String upstream, String from, String to);

  /**
   * An upstream that misbehaved gets no new connections.
   *
   * @param why what was the last straw
   * @param forNs for how long
   */
  void onUpstreamEjected(String pool, String upstream, OutlierSignal why, long forNs);

  /** Its ejection is over. */
  void onUpstreamReturned(String pool, String upstream);

  /**
   * An upstream does not serve. Called at once, when the kind of the problem is another one, and
   * every {@value ProblemReport#REPEAT_S} seconds while it lasts.
   *
   * @param forNs since when it has not served
   */
  void onUpstreamNotServing(String pool, String upstream, UpstreamProblem problem, long forNs);

  /** The reason why an upstream does not serve is of another kind now; null: there is none. */
  void onProblemChanged(
      String pool,
      String upstream,
      UpstreamProblem.@Nullable Kind from,
      UpstreamProblem.@Nullable Kind to);

  /** The name of a pool could not be resolved; what was known stays. Told like the above. */
  void onDiscoveryFailing(String pool, String name, UpstreamProblem problem, long forNs);

  /** A name could not be resolved. Called for every try that failed. */
  void onNameNotResolved(String pool);

  /**
   * A Watch ended, or could not be opened; it will be tried again. Called for every try that
   * failed.
   */
  void onHealthWatchBroken(String pool, String upstream, String reason);
}
