package dev.waymark.protocol;

import org.jspecify.annotations.Nullable;

/**
 * Where a new owner resumes a connection: what the former owner left behind (rule 3). Corresponds
 * to {@code ResumeState} in attach.proto. Immutable.
 *
 * @param cause why there is a new owner
 * @param firstOffset the offset of the first client byte that the new owner will receive
 * @param committed reply bytes that have taken effect: the offset of the new owner's first reply
 *     byte
 * @param committedSinceConsumed how many of these since a reply last ended: the new owner repeats a
 *     reproducible reply and skips that many of its bytes
 * @param clientEndedAt the offset at which the client ended its direction, or -1 if it has not
 * @param isRepliesEnded whether the former owner has ended the reply direction
 * @param replyWindowBytes how far ahead of the client the new owner may send once the client has
 *     read what former owners sent; also the largest commit
 * @param context the last context that took effect, or null; do not modify the array
 */
public record ResumeState(
    Cause cause,
    long firstOffset,
    long committed,
    long committedSinceConsumed,
    long clientEndedAt,
    boolean isRepliesEnded,
    int replyWindowBytes,
    byte @Nullable [] context) {
  /**
   * Why a connection moved. {@code ResumeState.Cause} in attach.proto has the same names and
   * numbers.
   */
  public enum Cause {
    LANE_BROKEN,
    REFUSED,
    STALLED,
    DRAINING,
    REBALANCE,
    LEADER_CHANGED;

    private static final Cause[] ALL = values();

    /** The number in attach.proto, from 1. */
    public int wireCode() {
      return ordinal() + 1;
    }

    /** The cause with this number. LANE_BROKEN, which promises least, if the number is unknown. */
    public static Cause ofWireCode(int wireCode) {
      return wireCode > 0 && wireCode <= ALL.length ? ALL[wireCode - 1] : LANE_BROKEN;
    }

    /** The lower-case form in logs and metric labels. */
    public String label() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }
}
