package dev.waymark.upstreams;

import dev.waymark.engine.lane.Candidate;
import dev.waymark.engine.lane.UpstreamView;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Counts the connections of each upstream, over all shards. Thread-safe; reading takes no lock. An
 * upstream without connections has no entry, so names whose addresses keep changing do not leak
 * memory.
 */
final class ConnectionCounts {
  private final ConcurrentHashMap<String, Integer> counts = new ConcurrentHashMap<>();

  void onAttached(UpstreamView upstream) {
    counts.merge(upstream.address(), 1, Integer::sum);
  }

  void onDetached(UpstreamView upstream) {
    counts.computeIfPresent(upstream.address(), (address, count) -> count == 1 ? null : count - 1);
  }

  int of(UpstreamView upstream) {
    return counts.getOrDefault(upstream.address(), 0);
  }

  /** Whether one more connection would load the first less than the second, by weight. */
  boolean isLess(Candidate first, Candidate second) {
    long firstLoad = (of(first.upstream()) + 1L) * second.upstream().effectiveWeight();
    long secondLoad = (of(second.upstream()) + 1L) * first.upstream().effectiveWeight();
    return firstLoad < secondLoad;
  }
}
