package dev.waymark.sim.history;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One epoch of a connection, as its upstream saw it: where it began, and what was received and
 * sent.
 */
final class Attachment {
  /**
   * The state with which an attachment begins, as the Open says it.
   *
   * @param firstOffset the offset of the first client byte that will be sent
   * @param committed reply bytes committed so far
   * @param committedSinceConsumed how many of these follow the end of the last complete reply
   * @param clientEndedAt the length of the client's stream, or -1 if the client has not ended it
   * @param context null if there is none
   */
  record Start(
      long firstOffset,
      long committed,
      long committedSinceConsumed,
      long clientEndedAt,
      boolean isRepliesEnded,
      byte @Nullable [] context) {
    /** The start of a connection's first attachment. */
    static final Start FIRST = new Start(0, 0, 0, -1, false, null);
  }

  /**
   * The frames of one commit, which take effect together.
   *
   * @param consumed -1 if absent
   * @param context null if absent; an empty one removes the context
   * @param isLast whether it closes the connection or hands it over
   */
  record Commit(
      byte[] bytes,
      long consumed,
      byte @Nullable [] context,
      boolean isHalfClose,
      boolean isLast) {}

  final int lane;
  final int epoch;

  /** Null until the Open reaches the upstream. */
  @Nullable Start start;

  boolean isAtMostOnce;

  /** Whether the connection is pinned to the upstream. */
  boolean isPinned;

  final Bytes received = new Bytes();
  boolean hasClientEnded;
  final List<Commit> commits = new ArrayList<>();

  /** The close reason that the upstream sent, if any. */
  @Nullable String closeSent;

  /** The close reason that the upstream received, if any. */
  @Nullable String closeReceived;

  private Bytes heldBytes = new Bytes();
  private long heldConsumed = -1;
  private byte @Nullable [] heldContext;
  private boolean isHeldHalfClose;

  Attachment(int lane, int epoch) {
    this.lane = lane;
    this.epoch = epoch;
  }

  /**
   * Adds a frame of the upstream; its commit is complete with the first one without {@code more}.
   */
  void send(
      byte[] bytes,
      long consumed,
      byte @Nullable [] context,
      boolean more,
      boolean isHalfClose,
      boolean isLast) {
    heldBytes.add(bytes);
    heldConsumed = Math.max(heldConsumed, consumed);
    heldContext = context == null ? heldContext : context;
    isHeldHalfClose |= isHalfClose;
    if (!more) {
      commits.add(new Commit(heldBytes.copy(), heldConsumed, heldContext, isHeldHalfClose, isLast));
      heldBytes = new Bytes();
      heldConsumed = -1;
      heldContext = null;
      isHeldHalfClose = false;
    }
  }
}
