package dev.waymark.tools.directory.dns;

/**
 * Reads a message in network byte order. Never throws: what lies beyond the end reads as 0, and the
 * message is {@link #isBroken} from then on.
 */
final class WireReader {
  private final byte[] bytes;
  private final int length;
  private int position;
  private boolean isBroken;

  /**
   * @param length how many of the bytes are the message
   */
  WireReader(byte[] bytes, int length) {
    this.bytes = bytes;
    this.length = length;
  }

  int position() {
    return position;
  }

  boolean isAtEnd() {
    return position == length;
  }

  /** Whether the message ended too early, or is malformed. */
  boolean isBroken() {
    return isBroken;
  }

  void markBroken() {
    isBroken = true;
  }

  int readUnsignedByte() {
    if (position >= length) {
      isBroken = true;
      return 0;
    }
    return bytes[position++] & 0xff;
  }

  int readUnsignedShort() {
    return readUnsignedByte() << Byte.SIZE | readUnsignedByte();
  }

  void skip(int count) {
    if (count > length - position) {
      isBroken = true;
      position = length;
    } else {
      position += count;
    }
  }
}
