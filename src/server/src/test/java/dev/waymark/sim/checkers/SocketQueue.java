package dev.waymark.sim.checkers;

import java.util.ArrayDeque;

/**
 * What waits for one client's socket: while replies do, their owner may wait for credit; pushes are
 * not the owner's.
 */
final class SocketQueue {
  private record Segment(long bytes, boolean isReply) {}

  private final ArrayDeque<Segment> segments = new ArrayDeque<>();
  private long replyBytes;

  void add(long bytes, boolean isReply) {
    segments.add(new Segment(bytes, isReply));
    replyBytes += isReply ? bytes : 0;
  }

  /** Whether the last reply byte was taken. */
  boolean take(long bytes) {
    long before = replyBytes;
    for (long left = bytes; left > 0; ) {
      Segment head = segments.remove();
      long taken = Math.min(left, head.bytes);
      left -= taken;
      replyBytes -= head.isReply ? taken : 0;
      if (taken < head.bytes) {
        segments.addFirst(new Segment(head.bytes - taken, head.isReply));
      }
    }
    return before > 0 && replyBytes == 0;
  }

  boolean hasReplies() {
    return replyBytes > 0;
  }
}
