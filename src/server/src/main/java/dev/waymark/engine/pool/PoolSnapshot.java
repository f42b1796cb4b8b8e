package dev.waymark.engine.pool;

import dev.waymark.engine.lane.UpstreamView;
import java.util.List;

/**
 * What the control plane tells every shard of a pool. Immutable; a higher version replaces a lower
 * one.
 *
 * @param pool name
 * @param version counts up from 1 with every change
 * @param upstreams all that discovery found, SERVING or not, in a stable order
 */
public record PoolSnapshot(String pool, long version, List<UpstreamView> upstreams) {
  public PoolSnapshot {
    upstreams = List.copyOf(upstreams);
  }

  /** Whether any upstream may be given connections. */
  public boolean isAnyServing() {
    return upstreams.stream().anyMatch(UpstreamView::isServing);
  }
}
