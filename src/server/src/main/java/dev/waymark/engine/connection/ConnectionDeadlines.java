package dev.waymark.engine.connection;

import dev.waymark.engine.base.DeadlineWheel;
import dev.waymark.engine.stream.ClientStream;
import dev.waymark.engine.stream.ReplyDirection;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The table of all deadlines of one connection; a single entry in the wheel stands for all of them.
 * A state machine without I/O that derives them from the connection's other machines; confined to
 * its shard's thread.
 */
final class ConnectionDeadlines {
  /** In the order in which they are checked: one may cancel others. */
  enum Deadline {
    /** A push waits for the end of a reply. */
    PUSH,
    /** The age of the connection is limited. */
    AGE,
    /** The connection has no owner. */
    NO_UPSTREAM,
    /** All candidates have refused, and will be asked again. */
    RETRY,
    /** A commit is not complete. */
    COMMIT,
    /** The owner works on the messages before a framing violation. */
    VIOLATION,
    /** The pool has no leader, and bytes wait for one. */
    LEADER,
    /** The owner was asked to hand over. */
    HAND_OVER,
    /** The client has not sent anything yet. */
    FIRST_BYTE,
    /** Nothing moves in either direction. */
    IDLE,
    /** The owner has bytes that it has not consumed (rule 7). */
    PROGRESS,
    /** The connection has ended, and the socket still takes bytes. */
    LINGER
  }

  static final Deadline[] ALL = Deadline.values();

  private final ClientDirection client;
  private final ReplyDirection replies;
  private final Ownership ownership;
  private final ProgressClock progress;
  private final ConnectionEnd end;
  private final DeadlineWheel.Node node;

  private final ListenerOptions listener;
  private final long firstByteDeadlineNs;
  private boolean isFirstByteAwaited;
  private long activityNs;

  /** NO_UPSTREAM while the connection waits, LINGER once it has ended. */
  private long phaseDeadlineNs;

  ConnectionDeadlines(
      DeadlineWheel.Timed connection,
      ClientDirection client,
      ReplyDirection replies,
      Ownership ownership,
      ProgressClock progress,
      ConnectionEnd end,
      ListenerOptions listener,
      long nowNs) {
    this.client = client;
    this.replies = replies;
    this.ownership = ownership;
    this.progress = progress;
    this.end = end;
    this.node = new DeadlineWheel.Node(connection);
    this.listener = listener;
    this.activityNs = nowNs;
    this.isFirstByteAwaited = listener.firstByteTimeoutNs() > 0;
    this.firstByteDeadlineNs = nowNs + listener.firstByteTimeoutNs();
  }

  // --- inputs ---

  /** A byte moved, or a frame of the owner came. */
  void onActivity(long nowNs) {
    activityNs = nowNs;
  }

  /** The client has sent something. */
  void onFirstByte() {
    isFirstByteAwaited = false;
  }

  /** Sets the deadline of NO_UPSTREAM or LINGER. */
  void phaseEndsAt(long deadlineNs) {
    phaseDeadlineNs = deadlineNs;
  }

  // --- outputs ---

  /** How long there has been no activity. */
  long silenceNs(long nowNs) {
    return nowNs - activityNs;
  }

  boolean isDue(Deadline which, long nowNs) {
    return isSet(which) && atNs(which, nowNs) - nowNs <= 0;
  }

  /** Puts the earliest deadline into the wheel; called after every input that sets one. */
  void arm(DeadlineWheel wheel, long nowNs) {
    for (Deadline which : ALL) {
      if (isSet(which)) {
        wheel.arm(node, atNs(which, nowNs));
      }
    }
  }

  /** The connection is closed. */
  void disarm(DeadlineWheel wheel) {
    wheel.disarm(node);
  }

  private boolean isSet(Deadline which) {
    Owner owner = ownership.owner();
    return switch (which) {
      case PUSH -> replies.isPushWaiting();
      case AGE -> end.isLive() && end.isAgeLimited();
      case NO_UPSTREAM -> end.isLive() && owner == null;
      case RETRY -> end.isLive() && owner == null && ownership.isBackingOff();
      case COMMIT -> owner != null && replies.stream().isHolding();
      case VIOLATION -> owner != null && client.stream().violation() != null;
      case LEADER -> owner != null && client.isAwaitingLeader() && !ownership.isHandingOver();
      case HAND_OVER -> owner != null && ownership.isHandingOver();
      case FIRST_BYTE -> isFirstByteAwaited && end.isLive();
      case IDLE -> owner != null && listener.idleTimeoutNs() > 0;
      case PROGRESS ->
          owner != null
              && owner.isAcknowledging()
              && !owner.isPinned()
              && progress.isOn()
              && !ownership.isHandingOver();
      case LINGER -> end.isClosing();
    };
  }

  /** Returns the time of a deadline that is set. */
  private long atNs(Deadline which, long nowNs) {
    return switch (which) {
      case PUSH -> replies.pushDeadlineNs();
      case AGE -> end.ageDeadlineNs();
      case NO_UPSTREAM, LINGER -> phaseDeadlineNs;
      case RETRY -> ownership.retryAtNs();
      case COMMIT -> replies.stream().holdDeadlineNs();
      case VIOLATION -> client.violationDeadlineNs();
      case LEADER -> client.leaderDeadlineNs();
      case HAND_OVER -> Objects.requireNonNull(ownership.handOver()).deadlineNs();
      case FIRST_BYTE -> firstByteDeadlineNs;
      case IDLE -> activityNs + listener.idleTimeoutNs();
      case PROGRESS -> progressDeadlineNs(nowNs, ownership.owner());
    };
  }

  private long progressDeadlineNs(long nowNs, @Nullable Owner owner) {
    ClientStream stream = client.stream();
    boolean isWindowFull = owner != null && stream.isFull(owner.windowBytes());
    return progress.deadlineNs(nowNs, stream.isAwaitingOwner(), isWindowFull);
  }
}
