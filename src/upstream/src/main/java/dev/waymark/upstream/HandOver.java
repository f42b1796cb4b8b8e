package dev.waymark.upstream;

import dev.waymark.protocol.UpstreamFrame;

/**
 * Decides when a connection may move to its next owner (protocol.md, rule 9), and with which last
 * {@code consumed}. Confined to its lane's lock.
 */
final class HandOver {
  /** A former owner committed the start of a reply, which nobody has completed yet. */
  private boolean isReplyInherited;

  /** This owner has sent the start of a reply, and no {@code consumed} behind it yet. */
  private boolean isInReply;

  private boolean isBegun;
  private boolean isAsked;

  /**
   * @param isReplyInherited a reply began at a former owner and did not end there
   */
  HandOver(boolean isReplyInherited) {
    this.isReplyInherited = isReplyInherited;
  }

  /** A frame left; {@code consumed} is absent or ends a reply. */
  void onFrame(boolean hasBytes, long consumed) {
    isInReply = consumed == UpstreamFrame.ABSENT && (isInReply || hasBytes);
    isReplyInherited &= consumed == UpstreamFrame.ABSENT;
  }

  /** The bridge wants to move the connection. */
  void begin() {
    isBegun = true;
  }

  /** The handler wants to hand over without finishing; no effect before {@link #begin}. */
  void ask() {
    isAsked = isBegun;
  }

  boolean isBegun() {
    return isBegun;
  }

  /** Whether only waiting replies can still delay it. */
  boolean isDue(long deliveredOffset, long consumedOffset) {
    return isBegun && (consumedOffset >= deliveredOffset || (isAsked && !isInReply));
  }

  /**
   * The last {@code consumed}; absent if it would end a reply that the next owner has to complete.
   */
  long finalConsumed(long consumedOffset) {
    return isReplyInherited ? UpstreamFrame.ABSENT : consumedOffset;
  }
}
