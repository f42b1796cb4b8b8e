package dev.waymark.upstream;

/**
 * When a connection may leave for its next owner (protocol.md, rule 9), and with what. Confined to
 * its lane's lock.
 */
final class HandOver {
  private static final long ABSENT = -1;

  /** What a former owner sent of an unfinished reply still counts, for whoever answers it. */
  private boolean isReplyInherited;

  /** Bytes left here that no `consumed` has followed yet. */
  private boolean isInReply;

  private boolean isBegun;
  private boolean isAsked;

  /**
   * @param isReplyInherited a reply began at a former owner and did not end there
   */
  HandOver(boolean isReplyInherited) {
    this.isReplyInherited = isReplyInherited;
  }

  /** A frame left; `consumed` is absent or ends a reply. */
  void onFrame(boolean hasBytes, long consumed) {
    isInReply = consumed == ABSENT && (isInReply || hasBytes);
    isReplyInherited &= consumed == ABSENT;
  }

  /** The bridge wants it. */
  void begin() {
    isBegun = true;
  }

  /** The handler does not want to go on; without effect before {@link #begin}. */
  void ask() {
    isAsked = isBegun;
  }

  boolean isBegun() {
    return isBegun;
  }

  /** Whether nothing holds it up but replies that wait. */
  boolean isDue(long deliveredOffset, long consumedOffset) {
    return isBegun && (consumedOffset >= deliveredOffset || isAsked && !isInReply);
  }

  /** The last `consumed`: absent where it would end a reply that the next owner goes on with. */
  long finalConsumed(long consumedOffset) {
    return isReplyInherited ? ABSENT : consumedOffset;
  }
}
