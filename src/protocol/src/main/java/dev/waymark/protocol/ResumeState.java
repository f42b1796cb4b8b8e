package dev.waymark.protocol;

import org.jspecify.annotations.Nullable;

/**
 * Where a new owner resumes a connection: what the former owner left behind (rule 3). Immutable;
 * {@code ResumeState} in attach.proto.
 *
 * @param cause why there is a new one
 * @param firstOffset offset of the first client byte that will come
 * @param committed reply bytes that have taken effect: the offset of the new owner's first reply
 *     byte
 * @param committedSinceConsumed of these, how many since a reply last ended: the new owner skips as
 *     many of a reproducible reply
 * @param clientEndedAt where the client ended its direction; -1 if it has not
 * @param isRepliesEnded the former owner has ended the reply direction
 * @param replyWindowBytes how far ahead of the client the new owner may go once the client has
 *     taken what former owners sent; a commit is at most this
 * @param context the last one that took effect; null if there is none. Not to be changed
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
   * Why a connection moved; {@code ResumeState.Cause} in attach.proto has the same names and
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

    /** The cause with this number; LANE_BROKEN, which promises least, for one that nobody knows. */
    public static Cause ofWireCode(int wireCode) {
      return wireCode > 0 && wireCode <= ALL.length ? ALL[wireCode - 1] : LANE_BROKEN;
    }

    /** The lower-case form in logs and metric labels. */
    public String label() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }
}
