package dev.waymark.sim.history;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One epoch of a connection, as the upstream that was given it saw it. */
final class Attachment {
  /**
   * What an upstream is told when it is given a connection.
   *
   * @param firstOffset of the first client byte to come
   * @param committed reply bytes that took effect so far
   * @param committedSinceConsumed of these, how many since a reply last ended
   * @param clientEndedAt how long the client's stream is; -1: not known
   * @param context null: none
   */
  record Start(
      long firstOffset,
      long committed,
      long committedSinceConsumed,
      long clientEndedAt,
      boolean isRepliesEnded,
      byte @Nullable [] context) {
    /** That of a connection's first upstream. */
    static final Start FIRST = new Start(0, 0, 0, -1, false, null);
  }

  /**
   * Frames of the upstream that take effect together.
   *
   * @param consumed -1: absent
   * @param context null: absent; empty: there is to be none
   * @param isLast it closes the connection or hands it over
   */
  record Commit(
      byte[] bytes,
      long consumed,
      byte @Nullable [] context,
      boolean isHalfClose,
      boolean isLast) {}

  final int lane;
  final int epoch;

  /** Null: the upstream never heard of it. */
  @Nullable Start start;

  boolean isAtMostOnce;
  final Bytes received = new Bytes();
  boolean hasClientEnded;
  final List<Commit> commits = new ArrayList<>();

  /** What the upstream said in {@code close}; null: nothing. */
  @Nullable String said;

  /** What the bridge said in Close; null: nothing. */
  @Nullable String told;

  private Bytes heldBytes = new Bytes();
  private long heldConsumed = -1;
  private byte @Nullable [] heldContext;
  private boolean isHeldHalfClose;

  Attachment(int lane, int epoch) {
    this.lane = lane;
    this.epoch = epoch;
  }

  /** A frame; it takes effect with the next one that has no {@code more}. */
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
