package dev.waymark.engine.pool;

import dev.waymark.engine.lane.LaneHost;

/** What a pool and its lanes need from their shard. Called on the shard's thread only. */
public interface PoolHost extends LaneHost {
  UpstreamEvents events();

  /** How many shards the bridge has. */
  int shardCount();

  /** Asks for {@link ShardPool#placeSome} at the end of this turn. */
  void requestTurnEnd();
}
