package dev.waymark.engine;

import dev.waymark.engine.Ownership.HandOver;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import dev.waymark.protocol.Reopen;
import java.util.Objects;

/**
 * What may run out in the life of one connection, and what then happens. One entry of the wheel
 * stands for all of it. Confined to its shard's thread.
 */
final class ConnectionDeadlines {
  /** In the order in which they are judged: one may put an end to others. */
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
    /** The pool has no leader, and bytes wait for one. */
    LEADER,
    /** The owner was asked to hand over. */
    HAND_OVER,
    /** Nothing moves in either direction. */
    IDLE,
    /** The owner has bytes that it has not consumed (rule 7). */
    PROGRESS,
    /** The socket takes the last bytes. */
    LINGER
  }

  private static final Deadline[] ALL = Deadline.values();

  private final Connection connection;
  private final DeadlineWheel.Node node;
  private long phaseDeadlineNs;

  ConnectionDeadlines(Connection connection) {
    this.connection = connection;
    this.node = new DeadlineWheel.Node(connection);
  }

  // --- inputs ---

  /** An owner is waited for until then. */
  void waitUntil(long deadlineNs) {
    phaseDeadlineNs = deadlineNs;
  }

  /** The socket may take nothing for so long, from now on. */
  void linger(long nowNs) {
    phaseDeadlineNs = nowNs + connection.shard().limits().lingerTimeoutNs();
  }

  /** Puts the earliest into the wheel. */
  void arm(long nowNs) {
    for (Deadline which : ALL) {
      if (isSet(which)) {
        connection.shard().arm(node, atNs(which, nowNs));
      }
    }
  }

  /** Something may have run out. */
  void onDeadline(long nowNs) {
    for (Deadline which : ALL) {
      if (isSet(which) && atNs(which, nowNs) - nowNs <= 0) {
        onDue(nowNs, which);
      }
    }
    arm(nowNs);
  }

  // --- outputs ---

  /** Its place in the wheel. */
  DeadlineWheel.Node node() {
    return node;
  }

  // --- each of them: whether, when, and what then ---

  private boolean isSet(Deadline which) {
    Lane owner = connection.lane();
    return switch (which) {
      case PUSH -> connection.replies().isPushWaiting();
      case AGE -> connection.isLive() && connection.end().isAgeLimited();
      case NO_UPSTREAM -> connection.isWaiting();
      case RETRY -> connection.isWaiting() && connection.ownership().isBackingOff();
      case COMMIT -> owner != null && connection.replies().stream().isHolding();
      case BREACH -> owner != null && connection.client().breach() != null;
      case LEADER -> owner != null && connection.client().isAwaitingLeader() && !isHandingOver();
      case HAND_OVER -> owner != null && isHandingOver();
      case IDLE -> owner != null && connection.listener().options().idleTimeoutNs() > 0;
      case PROGRESS ->
          owner != null
              && owner.isAcknowledging()
              && connection.progress().isOn()
              && !isHandingOver();
      case LINGER -> connection.end().isClosing();
    };
  }

  /** Only of one that is set. */
  private long atNs(Deadline which, long nowNs) {
    ClientDirection client = connection.client();
    return switch (which) {
      case PUSH -> connection.replies().pushDeadlineNs();
      case AGE -> connection.end().ageDeadlineNs();
      case NO_UPSTREAM, LINGER -> phaseDeadlineNs;
      case RETRY -> connection.ownership().retryAtNs();
      case COMMIT -> connection.replies().stream().holdDeadlineNs();
      case BREACH -> client.breachDeadlineNs();
      case LEADER -> client.leaderDeadlineNs();
      case HAND_OVER -> handOver().deadlineNs();
      case IDLE -> connection.lastActivityNs() + connection.listener().options().idleTimeoutNs();
      case PROGRESS ->
          connection
              .progress()
              .deadlineNs(nowNs, client.isAwaitingOwner(), client.isWindowFull(owner()));
    };
  }

  private void onDue(long nowNs, Deadline which) {
    switch (which) {
      case PUSH -> {
        connection.replies().expirePushes(nowNs);
        connection.settleHeld();
      }
      case AGE -> connection.end().endIfOld(nowNs);
      case NO_UPSTREAM -> {
        phaseDeadlineNs = connection.pool().waitEndNs(nowNs);
        if (phaseDeadlineNs - nowNs <= 0) {
          endByBridge(nowNs, CloseReason.NO_UPSTREAM, Origin.BRIDGE);
        }
      }
      case LEADER -> endByBridge(nowNs, CloseReason.NO_UPSTREAM, Origin.BRIDGE);
      case RETRY -> connection.change().retry();
      case COMMIT -> {
        connection.change().tellTaken(nowNs, Taken.Why.COMMIT_INCOMPLETE);
        owner().suspect(Suspicion.TIMED_OUT);
        endByBridge(nowNs, CloseReason.COMMIT_INCOMPLETE, Origin.UPSTREAM);
      }
      case BREACH -> {
        CloseReason breach = Objects.requireNonNull(connection.client().breach());
        endByBridge(nowNs, breach, breach.origin());
      }
      case HAND_OVER -> onHandOverOverdue(nowNs);
      case IDLE -> {
        if (connection.replies().delivery().hasMoved()) {
          connection.onActivity(nowNs);
        } else {
          endByBridge(nowNs, CloseReason.IDLE_TIMEOUT, Origin.BRIDGE);
        }
      }
      case PROGRESS -> onProgressOverdue(nowNs);
      case LINGER -> {
        if (connection.replies().delivery().hasMoved()) {
          linger(nowNs);
        } else {
          connection.end().reset();
        }
      }
    }
  }

  private void onHandOverOverdue(long nowNs) {
    Reopen.Cause cause = handOver().cause();
    if (connection.replies().stream().queuedBytes() == 0) {
      owner().suspect(Suspicion.TIMED_OUT);
    }
    connection.change().fence(nowNs, cause, Taken.Why.RELEASE_OVERDUE);
  }

  private void onProgressOverdue(long nowNs) {
    Lane owner = owner();
    switch (connection.progress().verdict(nowNs, connection.client().isWindowFull(owner))) {
      case WORKING -> {}
      case STALLED -> {
        connection.change().fence(nowNs, Reopen.Cause.STALLED, Taken.Why.STALLED);
        owner.onStalled(nowNs);
      }
      case WINDOW_STALLED -> {
        connection.change().tellTaken(nowNs, Taken.Why.WINDOW_STALLED);
        endByBridge(nowNs, CloseReason.WINDOW_STALLED, Origin.UPSTREAM);
      }
    }
  }

  private void endByBridge(long nowNs, CloseReason reason, Origin origin) {
    connection.end().endByBridge(nowNs, reason, origin);
  }

  private boolean isHandingOver() {
    return connection.ownership().handOver() != null;
  }

  private HandOver handOver() {
    return Objects.requireNonNull(connection.ownership().handOver());
  }

  private Lane owner() {
    return Objects.requireNonNull(connection.lane());
  }
}
