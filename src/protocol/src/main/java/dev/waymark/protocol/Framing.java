package dev.waymark.protocol;

/**
 * How a listener cuts the client's stream into messages. Framing never changes the bytes (rule 1).
 * Immutable.
 */
public sealed interface Framing {
  /** No framing: bytes are passed on as they arrive. */
  record Raw() implements Framing {}

  /** A message ends with {@code \n}, which belongs to it. */
  record Line() implements Framing {}

  /** A message ends with the delimiter of 1 to 16 bytes, which belongs to it. */
  record Delimiter(byte[] delimiter) implements Framing {}

  /** Every message has this many bytes. */
  record Fixed(int bytes) implements Framing {}

  /**
   * A field of {@code lengthBytes} (1, 2, 3, 4 or 8) bytes, {@code lengthOffset} bytes into the
   * message, holds the number of bytes that follow it, less {@code lengthAdjustment}: a message is
   * lengthOffset + lengthBytes + value + lengthAdjustment bytes.
   */
  record LengthPrefixed(
      int lengthOffset, int lengthBytes, boolean littleEndian, int lengthAdjustment)
      implements Framing {}

  /**
   * A base-128 varint (as in protobuf, at most 5 bytes) holds the number of bytes that follow it.
   */
  record Varint() implements Framing {}

  /** The only instance that is needed: {@link Raw} has no fields. */
  Framing RAW = new Raw();
}
