package dev.waymark.sim;

import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.engine.shard.Shard;
import dev.waymark.engine.shard.ShardInspector;
import dev.waymark.sim.checkers.Ledger;
import dev.waymark.sim.checkers.Watcher.UpstreamEvent;

/** Where the defect of a run strikes. */
final class Mutations {
  private final Sim sim;
  private final Mutation mutation;
  private boolean hasStruck;

  Mutations(Sim sim, Mutation mutation) {
    this.sim = sim;
    this.mutation = mutation;
  }

  /** Whether the defect strikes here: once, somewhere. */
  boolean strikes(Mutation candidate) {
    boolean isStruck = mutation == candidate && !hasStruck && sim.dice().oneIn(5);
    hasStruck |= isStruck;
    return isStruck;
  }

  /** Whether it is this defect, which strikes always. */
  boolean is(Mutation candidate) {
    return mutation == candidate;
  }

  /** Where the defect is one of what the core keeps. */
  void corrupt(Shard shard) {
    if (is(Mutation.FORGET_WAITING)) {
      ShardInspector.forgetWaiting(shard);
    } else if (is(Mutation.PLACE_ATTACHED)) {
      ShardInspector.placeAttached(shard);
    } else if (is(Mutation.BLAME_COMPANY)) {
      ShardInspector.blameAll(shard);
    } else if (is(Mutation.BLAME_NOBODY)) {
      ShardInspector.forgiveAll(shard);
    }
  }

  /** What the core is told of its pool. */
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

  /** What the core sees of a lane. */
  LaneTransport between(SimLane lane) {
    return mutation == Mutation.NONE ? lane : new MutatedLane(sim, lane);
  }

  /** Whether the core takes this frame, which is not the owner's, for one of the owner's. */
  boolean takesLate(SimLane lane, UpstreamEvent event, boolean isLaneOver) {
    if (!is(isLaneOver ? Mutation.TAKE_DEAD_LANES_FRAME : Mutation.TAKE_LATE_FRAME)) {
      return false;
    }
    Ledger ledger = sim.watchers().ledger();
    boolean isEffective = event.bytes() > 0 && !event.more() && event.close() == 0;
    return isEffective
        && !ledger.isOwners(lane.number(), event)
        && sim.lane(ledger.lane(event.connection())) != null;
  }
}
