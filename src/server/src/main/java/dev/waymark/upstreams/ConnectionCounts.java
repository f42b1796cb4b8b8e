package dev.waymark.upstreams;

import dev.waymark.engine.lane.Candidate;
import dev.waymark.engine.lane.UpstreamView;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How many connections of all shards each upstream has. Thread-safe; reading takes no lock. An
 * upstream without connections takes no memory, so that names which change their addresses all the
 * time do not fill it.
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

  /** Whether the first would carry less for its weight with one more connection than the second. */
  boolean isLess(Candidate first, Candidate second) {
    long firstLoad = (of(first.upstream()) + 1L) * second.upstream().effectiveWeight();
    long secondLoad = (of(second.upstream()) + 1L) * first.upstream().effectiveWeight();
    return firstLoad < secondLoad;
  }
}
