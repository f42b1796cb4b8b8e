package dev.waymark.tools.bench;

import java.nio.ByteBuffer;

/**
 * What each connection sends: an endless stream of big-endian 8-byte words, each a function of the
 * connection's number and the word's index. All words of a run differ, and a word reveals its
 * connection and offset. So bytes that are lost, duplicated, swapped or another connection's are
 * detected and can be described. Immutable and thread-safe.
 */
final class Payload {
  static final int NUMBER_BITS = 28;
  static final int WORD_BYTES = 8;

  private static final long NUMBER_MASK = (1L << NUMBER_BITS) - 1;

  /** Odd, so that the multiplication is invertible. */
  private static final long FACTOR = 0x9e37_79b9_7f4a_7c15L;

  private static final long INVERSE = inverse(FACTOR);

  /** The difference between consecutive words of a connection, after the multiplication. */
  private static final long STEP = FACTOR << NUMBER_BITS;

  private final long seed;

  /**
   * @param seed distinguishes the run, so that stray bytes of another run do not match
   */
  Payload(long seed) {
    this.seed = mix(seed);
  }

  /** The position of some bytes: the connection and the offset in its stream. */
  record Place(int number, long offset) {}

  /** Fills the buffer up to its limit with a connection's bytes, starting at this offset. */
  void fill(ByteBuffer to, int number, long offset) {
    int at = to.position();
    int end = to.limit();
    long product = product(number, offset >>> 3);
    int skip = (int) (offset & 7);
    if (skip > 0) {
      for (int i = skip; i < WORD_BYTES && at < end; i++) {
        to.put(at++, byteOf(spread(product), i));
      }
      product += STEP;
    }
    for (; end - at >= WORD_BYTES; at += WORD_BYTES) {
      to.putLong(at, spread(product));
      product += STEP;
    }
    for (int i = 0; at < end; i++) {
      to.put(at++, byteOf(spread(product), i));
    }
  }

  /**
   * Compares received bytes with what a connection sent, starting at this offset.
   *
   * @return the index in the buffer of the first byte that differs, or -1
   */
  int mismatch(ByteBuffer in, int number, long offset) {
    int at = in.position();
    int end = in.limit();
    long product = product(number, offset >>> 3);
    int skip = (int) (offset & 7);
    if (skip > 0) {
      int wrong = wrongByte(in, at, Math.min(end, at + WORD_BYTES - skip), spread(product), skip);
      if (wrong >= 0) {
        return wrong;
      }
      at = Math.min(end, at + WORD_BYTES - skip);
      product += STEP;
    }
    for (; end - at >= WORD_BYTES; at += WORD_BYTES) {
      if (in.getLong(at) != spread(product)) {
        return wrongByte(in, at, at + WORD_BYTES, spread(product), 0);
      }
      product += STEP;
    }
    return wrongByte(in, at, end, spread(product), 0);
  }

  /** The byte at this offset of a connection's stream. */
  byte at(int number, long offset) {
    return byteOf(word(number, offset >>> 3), (int) (offset & 7));
  }

  /** The word of a connection with this index. */
  long word(int number, long index) {
    return spread(product(number, index));
  }

  /** The only place in all streams that has this word. */
  Place placeOf(long word) {
    long place = spread(word) * INVERSE - seed;
    return new Place((int) (place & NUMBER_MASK), (place >>> NUMBER_BITS) * WORD_BYTES);
  }

  private long product(int number, long index) {
    return ((index << NUMBER_BITS | number) + seed) * FACTOR;
  }

  /** Mixes high bits into low ones. Its own inverse. */
  private static long spread(long product) {
    return product ^ product >>> 32;
  }

  /** SplitMix64. Keeps values that occur naturally, such as 0, out of the streams. */
  private static long mix(long seed) {
    long mixed = (seed ^ seed >>> 30) * 0xbf58_476d_1ce4_e5b9L + FACTOR;
    mixed = (mixed ^ mixed >>> 27) * 0x94d0_49bb_1331_11ebL;
    return mixed ^ mixed >>> 31;
  }

  private static int wrongByte(ByteBuffer in, int from, int to, long word, int firstByte) {
    for (int i = from; i < to; i++) {
      if (in.get(i) != byteOf(word, firstByte + i - from)) {
        return i;
      }
    }
    return -1;
  }

  private static byte byteOf(long word, int index) {
    return (byte) (word >>> (56 - 8 * index));
  }

  private static long inverse(long odd) {
    long inverse = odd;
    // Newton's method: each step doubles the number of correct bits, starting with three.
    for (int bits = 3; bits < Long.SIZE; bits *= 2) {
      inverse *= 2 - odd * inverse;
    }
    return inverse;
  }
}
