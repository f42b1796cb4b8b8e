package dev.waymark.protocol.codec;

/** Computes the encoded size of fields with one-byte tags. Stateless. */
final class FrameSize {
  private FrameSize() {}

  /** The size of a varint field that proto3 omits if the value is 0. */
  static int ofNonZero(long value) {
    return value == 0 ? 0 : ofVarint(value);
  }

  static int ofVarint(long value) {
    return 1 + varintBytes(value);
  }

  static int ofTrue(boolean value) {
    return value ? 2 : 0;
  }

  static int ofBytes(int bytes) {
    return 1 + varintBytes(bytes) + bytes;
  }

  private static int varintBytes(long value) {
    return (Long.SIZE - Long.numberOfLeadingZeros(value | 1) + 6) / 7;
  }
}
