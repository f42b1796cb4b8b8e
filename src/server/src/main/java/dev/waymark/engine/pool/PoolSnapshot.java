package dev.waymark.engine.pool;

import dev.waymark.engine.lane.UpstreamView;
import java.util.List;

/**
 * The state of a pool, as the control plane publishes it to every shard. Immutable; a higher
 * version replaces a lower one.
 *
 * @param pool the name of the pool
 * @param version counts up from 1 with every change
 * @param upstreams all upstreams found, SERVING or not, in a stable order
 */
public record PoolSnapshot(String pool, long version, List<UpstreamView> upstreams) {
  public PoolSnapshot {
    upstreams = List.copyOf(upstreams);
  }

  /** Whether any upstream may get connections. */
  public boolean isAnyServing() {
    return upstreams.stream().anyMatch(UpstreamView::isServing);
  }
}
