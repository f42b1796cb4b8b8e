package dev.waymark.engine.lane;

import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.Owner;
import dev.waymark.protocol.Hello;

/** What a lane needs from its pool. Called on the shard's thread only. */
public interface LanePool {
  /** The options of the pool; a reload may change them. */
  PoolOptions options();

  /** The first frame of every lane of the pool. */
  Hello hello();

  /** The lane is established. */
  void onLaneOpen(long nowNs, Lane lane);

  /** The upstream has accepted the call of an established lane. */
  void onLaneAccepted(Lane lane);

  /** It is decided whether a lane acknowledges. */
  void onLaneDecided(long nowNs);

  /** The transport of the lane is writable again. */
  void onLaneWritable(Lane lane);

  /** The transport of the lane is full. */
  void onLaneFull(Lane lane);

  /** The upstream has sent Draining on the lane. */
  void onLaneDraining(long nowNs, Lane lane);

  /** The lane has broken, and its connections are about to be told. */
  void onLaneBreaking(long nowNs, Lane lane, boolean wasOpen);

  /**
   * The lane has broken, and its connections have been told.
   *
   * @param cause for operators
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

  /** Reports evidence against the upstream. */
  void reportOutlier(Lane lane, OutlierSignal why);
}
