package dev.waymark.upstreams;

import java.nio.charset.StandardCharsets;

/**
 * A 64-bit hash of short texts, the same in every bridge and version: FNV-1a (Fowler, Noll, Vo; RFC
 * 9923), then the finaliser of SplitMix64 (Steele, Lea, Flood 2014, "mix13" by Stafford), since FNV
 * alone leaves the high bits of similar texts similar. Not safe against chosen input. Stateless.
 */
final class Hash {
  /** The increment of SplitMix64: 2^64 divided by the golden ratio. */
  static final long GOLDEN_GAMMA = 0x9e37_79b9_7f4a_7c15L;

  private static final long FNV_OFFSET = 0xcbf2_9ce4_8422_2325L;
  private static final long FNV_PRIME = 0x0000_0100_0000_01b3L;

  private Hash() {}

  static long of(String text) {
    long hash = FNV_OFFSET;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xff)) * FNV_PRIME;
    }
    return mix(hash);
  }

  static long mix(long value) {
    long mixed = (value ^ (value >>> 30)) * 0xbf58_476d_1ce4_e5b9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94d0_49bb_1331_11ebL;
    return mixed ^ (mixed >>> 31);
  }
}
