package dev.waymark.engine.stream;

import java.util.ArrayDeque;

/**
 * Distinguishes pushed bytes from replies among the bytes that the client's socket takes, because
 * pushes do not count in offsets (rule 6). Confined to its shard's thread.
 */
final class PushedBytes {
  /** A push that the socket has not taken completely. */
  private static final class Segment {
    private final long replyOffset;
    private int bytesLeft;

    private Segment(long replyOffset, int bytes) {
      this.replyOffset = replyOffset;
      this.bytesLeft = bytes;
    }
  }

  private final ArrayDeque<Segment> segments = new ArrayDeque<>(4);
  private long handedBytes;
  private long writtenBytes;
  private int finishedBuffers;

  /** A push was handed to the socket as one buffer, after this offset of the replies. */
  void hand(long replyOffset, int bytes) {
    segments.add(new Segment(replyOffset, bytes));
    handedBytes += bytes;
  }

  /**
   * The socket took bytes.
   *
   * @param writtenReplyOffset the offset up to which it had taken replies before
   * @return how many of the bytes are replies
   */
  long written(long bytes, long writtenReplyOffset) {
    long replyBytes = 0;
    long left = bytes;
    for (Segment first = segments.peek(); first != null && left > 0; first = segments.peek()) {
      long before = Math.min(left, first.replyOffset - writtenReplyOffset - replyBytes);
      replyBytes += before;
      left -= before;
      int pushed = (int) Math.min(left, first.bytesLeft);
      left -= pushed;
      writtenBytes += pushed;
      first.bytesLeft -= pushed;
      if (first.bytesLeft > 0) {
        break;
      }
      segments.remove();
      finishedBuffers++;
    }
    return replyBytes + left;
  }

  /** How many pushes the socket has taken completely since the last call. */
  int takeFinishedBuffers() {
    int buffers = finishedBuffers;
    finishedBuffers = 0;
    return buffers;
  }

  boolean isEmpty() {
    return segments.isEmpty();
  }

  /** How many pushes the socket has not taken completely. */
  int buffers() {
    return segments.size();
  }

  /** Bytes handed to the socket so far. */
  long handedBytes() {
    return handedBytes;
  }

  /** Bytes that the socket took so far. */
  long writtenBytes() {
    return writtenBytes;
  }
}
