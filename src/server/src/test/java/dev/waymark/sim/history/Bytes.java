package dev.waymark.sim.history;

import java.util.Arrays;

/** A growing sequence of bytes. */
final class Bytes {
  private byte[] content = new byte[64];
  private int length;

  void add(byte[] more) {
    if (length + more.length > content.length) {
      content = Arrays.copyOf(content, Math.max(length + more.length, 2 * content.length));
    }
    System.arraycopy(more, 0, content, length, more.length);
    length += more.length;
  }

  int length() {
    return length;
  }

  byte[] copy() {
    return Arrays.copyOf(content, length);
  }

  /** Whether the sequence contains these bytes at this offset. */
  boolean has(long offset, byte[] expected) {
    return offset >= 0
        && offset + expected.length <= length
        && Arrays.equals(
            content, (int) offset, (int) offset + expected.length, expected, 0, expected.length);
  }

  /** Returns the first offset at which this is no prefix of {@code whole}, or -1 if it is one. */
  int firstDifference(Bytes whole) {
    int common = Math.min(length, whole.length);
    int at = Arrays.mismatch(content, 0, common, whole.content, 0, common);
    return at != -1 || length <= whole.length ? at : whole.length;
  }
}
