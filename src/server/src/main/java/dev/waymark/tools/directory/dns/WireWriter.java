package dev.waymark.tools.directory.dns;

/** Writes a message in network byte order into a buffer that is used again for the next. */
final class WireWriter {
  private final byte[] bytes;
  private int position;

  /**
   * @param capacity the longest message, in bytes
   */
  WireWriter(int capacity) {
    this.bytes = new byte[capacity];
  }

  /** The buffer: the message is at its start. */
  byte[] bytes() {
    return bytes;
  }

  int position() {
    return position;
  }

  /** Begins a new message. */
  void restart() {
    position = 0;
  }

  void writeByte(int value) {
    bytes[position++] = (byte) value;
  }

  void writeShort(int value) {
    setShort(position, value);
    position += Short.BYTES;
  }

  void writeInt(int value) {
    writeShort(value >>> Short.SIZE);
    writeShort(value);
  }

  void writeBytes(byte[] source, int from, int count) {
    System.arraycopy(source, from, bytes, position, count);
    position += count;
  }

  void writeBytes(byte[] source) {
    writeBytes(source, 0, source.length);
  }

  /** Returns what was written there. */
  int shortAt(int at) {
    return (bytes[at] & 0xff) << Byte.SIZE | (bytes[at + 1] & 0xff);
  }

  /** Overwrites what was written there. */
  void setShort(int at, int value) {
    bytes[at] = (byte) (value >>> Byte.SIZE);
    bytes[at + 1] = (byte) value;
  }
}
