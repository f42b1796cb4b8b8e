package dev.waymark.core;

import dev.waymark.core.CloseReason.Origin;
import dev.waymark.core.Ownership.HandOver;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What may run out in the life of one connection, and what then happens. One entry of the wheel
 * stands for all of it. Confined to its shard's thread.
 */
final class ConnectionDeadlines {
  private enum Deadline {
    /** A push waits for the end of a reply. */
    PUSH,
    /** The connection has an age. */
    AGE,
    /** Nobody takes the connection. */
    NO_UPSTREAM,
    /** All that might take it have refused, and are asked again. */
    RETRY,
    /** A commit is not complete. */
    COMMIT,
    /** The owner works on the messages before those that cannot be read. */
    BREACH,
    /** The owner was asked to hand over. */
    HAND_OVER,
    /** The pool has no leader, and bytes wait for one. */
    LEADER,
    /** Nothing moves in either direction. */
    IDLE,
    /** The owner has bytes that it has not consumed (rule 7). */
    PROGRESS,
    /** The socket takes the last bytes. */
    LINGER
  }

  @FunctionalInterface
  private interface Visitor {
    void visit(Deadline which, long atNs);
  }

  private final Connection connection;
  private final Shard shard;
  private final DeadlineWheel.Node node;
  private final @Nullable ConnectionAge age;

  /**
   * @param age null: it may become as old as it likes
   */
  ConnectionDeadlines(Connection connection, Shard shard, @Nullable ConnectionAge age) {
    this.connection = connection;
    this.shard = shard;
    this.age = age;
    this.node = new DeadlineWheel.Node(connection);
  }

  /** Its place in the wheel. */
  DeadlineWheel.Node node() {
    return node;
  }

  /** Puts the earliest into the wheel. */
  void arm(long nowNs) {
    each(nowNs, (_, atNs) -> shard.arm(node, atNs));
  }

  /** The bridge ends in so long. */
  void onDrain(long nowNs, long timeoutNs) {
    if (age != null) {
      age.onDrain(nowNs, timeoutNs);
      arm(nowNs);
    }
  }

  /** Something may have run out. */
  void onDeadline(long nowNs) {
    each(
        nowNs,
        (which, atNs) -> {
          if (atNs - nowNs <= 0) {
            onDue(nowNs, which);
          }
        });
    arm(nowNs);
  }

  /** Each that holds now, in the order in which they are judged: one may put an end to others. */
  private void each(long nowNs, Visitor visitor) {
    if (connection.replies().isPushWaiting()) {
      visitor.visit(Deadline.PUSH, connection.replies().pushDeadlineNs());
    }
    if (age != null && connection.isLive()) {
      visitor.visit(Deadline.AGE, age.deadlineNs());
    }
    if (connection.isWaiting()) {
      visitor.visit(Deadline.NO_UPSTREAM, connection.phaseDeadlineNs());
    }
    if (connection.isWaiting() && connection.ownership().isBackingOff()) {
      visitor.visit(Deadline.RETRY, connection.ownership().retryAtNs());
    }
    Lane owner = connection.lane();
    if (owner != null) {
      eachAttached(nowNs, owner, visitor);
    }
    if (connection.isClosing()) {
      visitor.visit(Deadline.LINGER, connection.phaseDeadlineNs());
    }
  }

  private void eachAttached(long nowNs, Lane owner, Visitor visitor) {
    ClientDirection client = connection.client();
    if (isStillWith(owner) && connection.replies().stream().isHolding()) {
      visitor.visit(Deadline.COMMIT, connection.replies().stream().holdDeadlineNs());
    }
    if (isStillWith(owner) && client.breach() != null) {
      visitor.visit(Deadline.BREACH, client.breachDeadlineNs());
    }
    if (isStillWith(owner) && client.isAwaitingLeader() && !isHandingOver()) {
      visitor.visit(Deadline.LEADER, client.leaderDeadlineNs());
    }
    HandOver handOver = connection.ownership().handOver();
    if (isStillWith(owner) && handOver != null) {
      visitor.visit(Deadline.HAND_OVER, handOver.deadlineNs());
    }
    long idleTimeoutNs = connection.listener().options().idleTimeoutNs();
    if (isStillWith(owner) && idleTimeoutNs > 0) {
      visitor.visit(Deadline.IDLE, connection.lastActivityNs() + idleTimeoutNs);
    }
    ProgressClock progress = connection.progress();
    if (isStillWith(owner) && !isHandingOver() && progress.isOn() && owner.isAcknowledging()) {
      visitor.visit(
          Deadline.PROGRESS,
          progress.deadlineNs(nowNs, client.isAwaitingOwner(), client.isWindowFull(owner)));
    }
  }

  private boolean isStillWith(Lane owner) {
    return connection.lane() == owner;
  }

  private boolean isHandingOver() {
    return connection.ownership().handOver() != null;
  }

  private void onDue(long nowNs, Deadline which) {
    switch (which) {
      case PUSH -> {
        connection.replies().expirePushes(nowNs);
        connection.onPushesExpired();
      }
      case AGE -> connection.endWhenOld(nowNs);
      case NO_UPSTREAM, LEADER ->
          connection.endByBridge(nowNs, CloseReason.NO_UPSTREAM, Origin.BRIDGE);
      case RETRY -> connection.retry();
      case COMMIT -> {
        owner().suspect(Suspicion.TIMED_OUT);
        connection.endByBridge(nowNs, CloseReason.COMMIT_INCOMPLETE, Origin.UPSTREAM);
      }
      case BREACH -> {
        CloseReason breach = Objects.requireNonNull(connection.client().breach());
        connection.endByBridge(nowNs, breach, breach.origin());
      }
      case HAND_OVER -> onHandOverOverdue(nowNs);
      case IDLE -> {
        if (connection.replies().delivery().hasMoved()) {
          connection.onClientMoved(nowNs);
        } else {
          connection.endByBridge(nowNs, CloseReason.IDLE_TIMEOUT, Origin.BRIDGE);
        }
      }
      case PROGRESS -> onProgressOverdue(nowNs);
      case LINGER -> {
        if (connection.replies().delivery().hasMoved()) {
          connection.onClientMoved(nowNs);
        } else {
          connection.resetSocket();
        }
      }
    }
  }

  private void onHandOverOverdue(long nowNs) {
    HandOver handOver = Objects.requireNonNull(connection.ownership().handOver());
    if (connection.replies().stream().queuedBytes() == 0) {
      owner().suspect(Suspicion.TIMED_OUT);
    }
    connection.change().fence(nowNs, handOver.cause());
  }

  private void onProgressOverdue(long nowNs) {
    ProgressClock progress = connection.progress();
    Lane owner = owner();
    switch (progress.verdict(nowNs, connection.client().isWindowFull(owner))) {
      case WORKING -> {}
      case STALLED -> {
        connection.change().fence(nowNs, Reopen.Cause.STALLED);
        owner.onStalled(nowNs);
      }
      case WINDOW_STALLED ->
          connection.endByBridge(nowNs, CloseReason.WINDOW_STALLED, Origin.UPSTREAM);
    }
  }

  private Lane owner() {
    return Objects.requireNonNull(connection.lane());
  }
}
