package dev.waymark.sim.checkers;

import java.util.ArrayDeque;

/**
 * The bytes queued for one client's socket. Distinguishes replies from pushes: while replies are
 * queued their owner may be waiting for credit; pushes do not use credit.
 */
final class SocketQueue {
  private record Segment(long bytes, boolean isReply) {}

  private final ArrayDeque<Segment> segments = new ArrayDeque<>();
  private long replyBytes;

  void add(long bytes, boolean isReply) {
    segments.add(new Segment(bytes, isReply));
    replyBytes += isReply ? bytes : 0;
  }

  /**
   * Removes bytes that the kernel took. Returns whether these included the last queued reply byte.
   */
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
