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
 * New owners are SERVING and not draining; a pool that follows its leader sends client bytes to
 * nobody else, and they do not wait for ever.
 */
public final class Rule6Owners implements Watcher {
  private static final String RULE = "rule 6 (owners)";

  private final Ledger ledger;
  private final boolean isFollowingLeader;

  /** An upstream as one shard sees it. */
  private record Seen(int shard, int upstream) {}

  private final Map<Integer, Seen> upstreams = new HashMap<>();
  private final Map<Seen, Boolean> serving = new HashMap<>();
  private final Set<Seen> left = new HashSet<>();
  private final Set<Integer> draining = new HashSet<>();
  private final Map<Long, Integer> formers = new HashMap<>();

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
  public void onLeaving(int shard, int upstream, boolean isLeft) {
    if (isLeft) {
      left.add(new Seen(shard, upstream));
    } else {
      left.remove(new Seen(shard, upstream));
    }
  }

  @Override
  public void onDraining(int lane) {
    draining.add(lane);
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {
    boolean isReturn = Objects.equals(formers.get(connection), lane);
    require(
        isReturn || isEligible(lane),
        RULE,
        "an owner that is not to have any connections",
        connection,
        lane);
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    if (how == Leaving.RELEASED) {
      formers.put(connection, ledger.lane(connection));
    } else if (how != Leaving.REFUSED) {
      formers.remove(connection);
    }
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    follow(lane, connection);
  }

  @Override
  public void onHalfClose(int lane, long connection, int epoch, long offset) {
    follow(lane, connection);
  }

  private void follow(int lane, long connection) {
    require(mayHaveBytes(lane), RULE, "client bytes to one that is no leader", connection, lane);
  }

  /** The pool does not follow a leader, or this is it. */
  boolean mayHaveBytes(int lane) {
    return !isFollowingLeader || isServing(lane);
  }

  /** New connections may be given to it, for all that the bridge knows. */
  public boolean isEligible(int lane) {
    return isServing(lane) && !draining.contains(lane) && !ledger.isUnproven(lane);
  }

  /** Its connections are to leave it, for all that the bridge knows. */
  public boolean isToBeLeft(int lane) {
    return draining.contains(lane) || left.contains(upstreams.get(lane));
  }

  private boolean isServing(int lane) {
    return serving.getOrDefault(upstreams.get(lane), false);
  }
}
