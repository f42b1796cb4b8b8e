package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.protocol.ResumeState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Owners (rule 6): a new owner is SERVING and not draining, and a pool that follows its leader
 * sends client bytes to the leader only.
 */
public final class Rule6Owners implements Watcher {
  private static final String RULE = "rule 6 (owners)";

  private final Ledger ledger;
  private final boolean isFollowingLeader;

  /** An upstream as one shard sees it. */
  private record Seen(int shard, int upstream) {}

  private final Map<Integer, Seen> upstreams = new HashMap<>();
  private final Map<Seen, Boolean> serving = new HashMap<>();
  private final Set<Seen> drained = new HashSet<>();
  private final Set<Integer> draining = new HashSet<>();

  /** The lane to which a connection may return: the one that released it. */
  private final Map<Long, Integer> formerLanes = new HashMap<>();

  public Rule6Owners(Ledger ledger, boolean isFollowingLeader) {
    this.ledger = ledger;
    this.isFollowingLeader = isFollowingLeader;
  }

  @Override
  public void onConnect(int lane, int shard, int upstream) {
    upstreams.put(lane, new Seen(shard, upstream));
  }

  @Override
  public void onView(int shard, int upstream, boolean isServing) {
    serving.put(new Seen(shard, upstream), isServing);
  }

  @Override
  public void onDrainView(int shard, int upstream, boolean isDraining) {
    if (isDraining) {
      drained.add(new Seen(shard, upstream));
    } else {
      drained.remove(new Seen(shard, upstream));
    }
  }

  @Override
  public void onDraining(int lane) {
    draining.add(lane);
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {
    boolean isReturn = Objects.equals(formerLanes.get(connection), lane);
    require(isReturn || isEligible(lane), RULE, "an owner that is not eligible", connection, lane);
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    if (how == Leaving.RELEASED) {
      formerLanes.put(connection, ledger.lane(connection));
    } else if (how != Leaving.REFUSED) {
      formerLanes.remove(connection);
    }
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    requireLeader(lane, connection);
  }

  @Override
  public void onHalfClose(int lane, long connection, int epoch, long offset) {
    requireLeader(lane, connection);
  }

  private void requireLeader(int lane, long connection) {
    require(
        mayGetBytes(lane),
        RULE,
        "client bytes for an upstream that is not the leader",
        connection,
        lane);
  }

  /**
   * Whether client bytes may be sent on this lane: the pool follows no leader, or it is this one.
   */
  boolean mayGetBytes(int lane) {
    return !isFollowingLeader || isServing(lane);
  }

  /** Whether the lane may get new connections, as far as the bridge knows. */
  public boolean isEligible(int lane) {
    return isServing(lane) && !draining.contains(lane) && !ledger.isAwaitingSettings(lane);
  }

  /** Whether connections have to move off the lane, as far as the bridge knows. */
  public boolean mustDrain(int lane) {
    return draining.contains(lane) || drained.contains(upstreams.get(lane));
  }

  private boolean isServing(int lane) {
    return serving.getOrDefault(upstreams.get(lane), false);
  }
}
