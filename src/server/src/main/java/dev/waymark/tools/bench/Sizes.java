package dev.waymark.tools.bench;

import java.util.List;

/** Decides the size of each request. Immutable and thread-safe. */
final class Sizes {
  private static final long FACTOR = 0xbf58_476d_1ce4_e5b9L;

  private final int[] sizes;

  /**
   * @param sizes one or more sizes in bytes, used equally often, in an order that looks random but
   *     is the same in every run
   */
  Sizes(List<Integer> sizes) {
    this.sizes = sizes.stream().mapToInt(Integer::intValue).toArray();
  }

  /** The size of one request of one connection. */
  int of(int number, long request) {
    if (sizes.length == 1) {
      return sizes[0];
    }
    long mixed = (request * Payload.WORD_BYTES + 1 + ((long) number << 32)) * FACTOR;
    return sizes[(int) Math.floorMod(mixed ^ mixed >>> 31, (long) sizes.length)];
  }

  int largest() {
    int largest = 0;
    for (int size : sizes) {
      largest = Math.max(largest, size);
    }
    return largest;
  }
}
