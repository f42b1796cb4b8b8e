package dev.waymark.sim;

import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.engine.shard.Shard;
import dev.waymark.engine.shard.ShardInspector;
import dev.waymark.sim.checkers.Ledger;
import dev.waymark.sim.checkers.Watcher.UpstreamEvent;

/** Injects the {@link Mutation} of a run, if it has one: asked wherever a defect could strike. */
final class Mutations {
  private final Sim sim;
  private final Mutation mutation;
  private boolean hasStruck;

  Mutations(Sim sim, Mutation mutation) {
    this.sim = sim;
    this.mutation = mutation;
  }

  /** Whether the defect strikes here; it does so once per run, at a random opportunity. */
  boolean strikes(Mutation candidate) {
    boolean isStruck = mutation == candidate && !hasStruck && sim.dice().oneIn(5);
    hasStruck |= isStruck;
    return isStruck;
  }

  /** Whether the run has this defect, which is always active. */
  boolean is(Mutation candidate) {
    return mutation == candidate;
  }

  /** Corrupts the state of the engine, if that is the defect. */
  void corrupt(Shard shard) {
    if (is(Mutation.FORGET_WAITING)) {
      ShardInspector.forgetWaiting(shard);
    } else if (is(Mutation.PLACE_ATTACHED)) {
      ShardInspector.placeAttached(shard);
    } else if (is(Mutation.BLAME_EVERYONE)) {
      ShardInspector.blameAll(shard);
    } else if (is(Mutation.BLAME_NOBODY)) {
      ShardInspector.forgiveAll(shard);
    }
  }

  /** Returns the options that the engine gets. */
  PoolOptions options(PoolOptions given) {
    return is(Mutation.IMPATIENT)
        ? new PoolOptions(
            given.name(),
            given.acknowledge(),
            given.noUpstreamWaitNs() / 20,
            given.noUpstreamBytesMax(),
            given.moving())
        : given;
  }

  /** Returns the transport that the engine gets: the lane, wrapped if there is a defect. */
  LaneTransport wrap(SimLane lane) {
    return mutation == Mutation.NONE ? lane : new MutatedLane(sim, lane);
  }

  /** Whether the engine is to mistake this frame, which is not the owner's, for the owner's. */
  boolean acceptsLate(SimLane lane, UpstreamEvent event, boolean isLaneOver) {
    if (!is(isLaneOver ? Mutation.ACCEPT_DEAD_LANE_FRAME : Mutation.ACCEPT_LATE_FRAME)) {
      return false;
    }
    Ledger ledger = sim.watchers().ledger();
    boolean isEffective = event.bytes() > 0 && !event.more() && event.close() == 0;
    return isEffective
        && !ledger.isFromOwner(lane.number(), event)
        && sim.lane(ledger.lane(event.connection())) != null;
  }
}
