package dev.waymark.upstream;

import dev.waymark.protocol.UpstreamFrame;

/**
 * Decides when a connection may move to its next owner (protocol.md, rule 9), and with which final
 * {@code consumed}. Confined to its lane's lock.
 */
final class HandOver {
  /** Whether a former owner committed the start of a reply that is not complete yet. */
  private boolean isReplyInherited;

  /** Whether this owner has sent the start of a reply without a {@code consumed} after it yet. */
  private boolean isInReply;

  private boolean isBegun;
  private boolean isRequested;

  /**
   * @param isReplyInherited whether a former owner started a reply and did not complete it
   */
  HandOver(boolean isReplyInherited) {
    this.isReplyInherited = isReplyInherited;
  }

  /** Called when a frame has left. {@code consumed} is absent or ends a reply. */
  void onFrame(boolean hasBytes, long consumed) {
    isInReply = consumed == UpstreamFrame.ABSENT && (isInReply || hasBytes);
    isReplyInherited &= consumed == UpstreamFrame.ABSENT;
  }

  /** Called when the bridge wants to move the connection. */
  void begin() {
    isBegun = true;
  }

  /**
   * Called when the handler wants to hand over without finishing. No effect before {@link #begin}.
   */
  void request() {
    isRequested = isBegun;
  }

  boolean isBegun() {
    return isBegun;
  }

  /** Whether the connection may be handed over as soon as no replies are waiting. */
  boolean isDue(long deliveredOffset, long consumedOffset) {
    return isBegun && (consumedOffset >= deliveredOffset || (isRequested && !isInReply));
  }

  /**
   * The final {@code consumed}: absent if it would end a reply that the next owner has to complete.
   */
  long finalConsumed(long consumedOffset) {
    return isReplyInherited ? UpstreamFrame.ABSENT : consumedOffset;
  }
}
