package dev.waymark.protocol.codec;

/** The encoded size of fields whose tag takes one byte. Stateless. */
final class FrameSize {
  private FrameSize() {}

  /** 0 for the value 0, which proto3 leaves out. */
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
