package dev.waymark.engine.lane;

import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.Owner;
import dev.waymark.protocol.Hello;

/** What a lane tells its pool, and asks of it. Called on the shard's thread only. */
public interface LanePool {
  /** A reload may change them. */
  PoolOptions options();

  /** What the bridge says first on every lane of the pool. */
  Hello hello();

  /** It is established. */
  void onLaneOpen(long nowNs, Lane lane);

  /** It has shown whether it acknowledges. */
  void onLaneDecided(long nowNs);

  /** Its transport takes more, after it took no more. */
  void onLaneWritable(Lane lane);

  /** Its transport takes no more for now. */
  void onLaneFull(Lane lane);

  /** Its upstream wants no new connections. */
  void onLaneDraining(long nowNs, Lane lane);

  /** It is broken, and its connections are about to be told. */
  void onLaneBreaking(long nowNs, Lane lane, boolean wasOpen);

  /**
   * Its connections have been told.
   *
   * @param cause for people
   * @param connections how many there were
   */
  void onLaneBroken(long nowNs, Lane lane, String cause, boolean wasOpen, int connections);

  /** A connection is attached to the lane. */
  void onAttached(Owner.Attached connection, Lane lane);

  /**
   * A connection has left the lane.
   *
   * @param hasLeftover client bytes that the upstream was sent and has not consumed stay behind
   */
  void onDetached(Owner.Attached connection, Lane lane, boolean hasLeftover);

  /** Something speaks against the upstream. */
  void reportOutlier(Lane lane, OutlierSignal why);
}
