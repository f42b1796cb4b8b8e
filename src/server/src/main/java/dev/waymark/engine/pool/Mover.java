package dev.waymark.engine.pool;

import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.lane.Lane;
import dev.waymark.protocol.ResumeState;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Begins the planned moves of a pool in one shard (rule 9): off upstreams that connections have to
 * leave, and to new upstreams, at a rate of at most {@link PoolOptions.Moving#movesPerSecond}.
 * Confined to its shard's thread.
 */
final class Mover {
  /**
   * Delay between a change of shares and rebalancing: upstreams rarely join one at a time, and the
   * lanes of other shards open at other times.
   */
  static final long REBALANCE_DELAY_NS = 1_000_000_000L;

  /**
   * How often shares are checked after a change. The first check moves the surplus. Some of these
   * moves may end elsewhere, because their destination was full or refused, and some connections
   * cannot move at that moment.
   */
  static final int REBALANCE_CHECKS_MAX = 5;

  /** How much of the rate may be saved up. */
  private static final long BURST_NS = 200_000_000L;

  private static final double NS_PER_SECOND = 1e9;

  private final PoolHost host;
  private final Balancer balancer;
  private double allowance;
  private long refilledNs;
  private boolean isRebalanceDue;
  private long rebalanceAtNs;
  private int checksLeft;

  /** Whether a lane that should have got connections was full, since the last check began. */
  private boolean isAnyFull;

  /** Whether moves have begun, or have to wait, since the last check began. */
  private boolean isAnyMoving;

  Mover(long nowNs, PoolHost host, Balancer balancer) {
    this.host = host;
    this.balancer = balancer;
    this.refilledNs = nowNs - BURST_NS;
  }

  // --- inputs ---

  /** Shares have changed: an upstream came, or a weight changed. */
  void rebalanceSoon(long nowNs) {
    isRebalanceDue = true;
    rebalanceAtNs = nowNs + REBALANCE_DELAY_NS;
    checksLeft = REBALANCE_CHECKS_MAX;
  }

  /** Adds to the allowance of moves for the time that has passed. */
  void refill(long nowNs, PoolOptions.Moving moving) {
    double perNs = moving.movesPerSecond() / NS_PER_SECOND / host.shardCount();
    allowance =
        Math.min(
            Math.max(1, perNs * BURST_NS), allowance + perNs * Math.max(0, nowNs - refilledNs));
    refilledNs = nowNs;
  }

  /**
   * Begins to move connections off the upstream; there is another.
   *
   * @param to null if it is chosen when the owner has released the connection
   * @param isOverdue whether the drain timeout is over, so that connections that cannot be handed
   *     over leave too
   */
  void leave(long nowNs, Lane lane, ResumeState.Cause cause, @Nullable Lane to, boolean isOverdue) {
    if (lane.stayingCount() == 0) {
      return;
    }
    if (cause == ResumeState.Cause.LEADER_CHANGED) {
      // The former leader must not serve them: there is no reason to pace the moves.
      host.forEachOn(
          lane,
          connection -> {
            if (!connection.release(nowNs, cause, null) && !connection.ownership().canHandOver()) {
              connection.abandonOwner(nowNs, cause);
            }
          });
    } else {
      host.forEachOn(lane, connection -> leave(nowNs, connection, cause, to, isOverdue));
    }
  }

  /**
   * Begins to move connections as shares demand, some time after these have changed.
   *
   * @param open the lanes that accept connections; those that are full give but do not take
   */
  void rebalance(long nowNs, List<Lane> open) {
    if (!isRebalanceDue || rebalanceAtNs - nowNs > 0) {
      return;
    }
    boolean isResultDue = checksLeft < REBALANCE_CHECKS_MAX && !isAnyMoving;
    if (isResultDue && open.stream().anyMatch(Mover::isUnsettled)) {
      // It is not known yet where these connections end up.
      rebalanceAtNs = nowNs + REBALANCE_DELAY_NS;
      return;
    }
    if (balancer.isByKey()) {
      open.forEach(lane -> rebalanceByKey(nowNs, lane, open));
    } else {
      rebalanceByShare(nowNs, open);
    }
    if (allowance < 1 && !isAnyFull) {
      // Goes on when there is more.
      return;
    }
    if (isAnyMoving) {
      checksLeft--;
    }
    isRebalanceDue = (isAnyMoving || isAnyFull) && checksLeft > 0;
    isAnyFull = false;
    isAnyMoving = false;
    rebalanceAtNs = nowNs + REBALANCE_DELAY_NS;
  }

  private static boolean isUnsettled(Lane lane) {
    return lane.expectedCount() != lane.connectionCount();
  }

  // --- transitions ---

  private void leave(
      long nowNs,
      Connection connection,
      ResumeState.Cause cause,
      @Nullable Lane to,
      boolean isOverdue) {
    // A suspect leaves when its bytes are answered: until then it would only go on probation again.
    if (allowance < 1 || connection.ownership().isSuspect()) {
      return;
    }
    if (connection.release(nowNs, cause, to)) {
      allowance--;
    } else if (isOverdue && !connection.ownership().canHandOver()) {
      connection.forceMove(nowNs, cause);
      allowance--;
    }
  }

  private void rebalanceByKey(long nowNs, Lane lane, List<Lane> open) {
    host.forEachOn(
        lane,
        connection -> {
          if (allowance >= 1) {
            Lane wanted = (Lane) balancer.choose(open, connection.clientHost(), connection.mark());
            if (wanted != lane && !wanted.isWritable()) {
              isAnyFull = true;
            } else if (wanted != lane) {
              rebalance(nowNs, connection, wanted);
            }
          }
        });
  }

  private void rebalanceByShare(long nowNs, List<Lane> open) {
    int total = open.stream().mapToInt(lane -> lane.expectedCount()).sum();
    for (Lane lane : open) {
      double wanted = balancer.share(open, lane) * total;
      if (lane.expectedCount() > Math.ceil(wanted)) {
        host.forEachOn(
            lane, connection -> moveSurplus(nowNs, connection, lane, wanted, open, total));
      }
    }
  }

  private void moveSurplus(
      long nowNs, Connection connection, Lane lane, double wanted, List<Lane> open, int total) {
    if (allowance < 1 || lane.expectedCount() <= Math.ceil(wanted)) {
      return;
    }
    Lane poorest = lane;
    double missing = 0;
    for (Lane other : open) {
      double missingThere = balancer.share(open, other) * total - other.expectedCount();
      if (missingThere >= 1 && !other.isWritable()) {
        isAnyFull = true;
      } else if (missingThere > missing) {
        poorest = other;
        missing = missingThere;
      }
    }
    if (poorest != lane) {
      rebalance(nowNs, connection, poorest);
    }
  }

  private void rebalance(long nowNs, Connection connection, Lane to) {
    isAnyMoving |= connection.ownership().canHandOver();
    if (connection.release(nowNs, ResumeState.Cause.REBALANCE, to)) {
      allowance--;
    }
  }
}
