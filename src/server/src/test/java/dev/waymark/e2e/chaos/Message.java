package dev.waymark.e2e.chaos;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;

/**
 * A request and its reply, which are the same bytes: length (4 bytes), client, number, checksum,
 * and a payload that no other request has. Immutable.
 *
 * @param sentNs when the request was sent
 */
record Message(int number, byte[] bytes, long sentNs) {
  static final int LENGTH_BYTES = Integer.BYTES;
  private static final int HEADER_BYTES = LENGTH_BYTES + Long.BYTES + Integer.BYTES + Integer.BYTES;
  private static final int SMALL_BYTES_MAX = 1_000;
  private static final int MIDDLE_BYTES_MAX = 20_000;

  /** Above 100 KiB, but below the window, which bounds framed messages. */
  static final int BYTES_MAX = 200_000;

  static Message of(long client, int number, int payloadBytes, long nowNs) {
    ByteBuffer bytes = ByteBuffer.allocate(HEADER_BYTES + payloadBytes);
    bytes.putInt(bytes.capacity() - LENGTH_BYTES).putLong(client).putInt(number).putInt(0);
    long word = client * 0x9e3779b97f4a7c15L + number;
    while (bytes.remaining() >= Long.BYTES) {
      word = word * 0xd1342543de82ef95L + 1;
      bytes.putLong(word ^ word >>> 29);
    }
    while (bytes.hasRemaining()) {
      bytes.put((byte) number);
    }
    bytes.putInt(HEADER_BYTES - Integer.BYTES, checksum(bytes.array()));
    return new Message(number, bytes.array(), nowNs);
  }

  /** Returns a random size from 1 byte to almost {@link #BYTES_MAX}; most are small. */
  static int payloadBytes(SplittableRandom random) {
    int die = random.nextInt(50);
    int max = die == 0 ? BYTES_MAX - HEADER_BYTES : die < 6 ? MIDDLE_BYTES_MAX : SMALL_BYTES_MAX;
    return random.nextInt(1, max + 1);
  }

  /** Describes how the reply differs from this message; null if it does not. */
  @org.jspecify.annotations.Nullable
  String differenceTo(byte[] reply) {
    if (Arrays.equals(bytes, reply)) {
      return null;
    }
    ByteBuffer received = ByteBuffer.wrap(reply);
    boolean isWhole = reply.length >= HEADER_BYTES && isChecksumRight(reply);
    return "request %d of %d bytes was answered with %s of %d bytes, first difference at %d"
        .formatted(
            number,
            bytes.length,
            isWhole
                ? "the reply to request %d of client %d"
                    .formatted(
                        received.getInt(LENGTH_BYTES + Long.BYTES), received.getLong(LENGTH_BYTES))
                : "a broken reply",
            reply.length,
            Arrays.mismatch(bytes, reply));
  }

  private static boolean isChecksumRight(byte[] reply) {
    int at = HEADER_BYTES - Integer.BYTES;
    byte[] unsigned = reply.clone();
    ByteBuffer.wrap(unsigned).putInt(at, 0);
    return ByteBuffer.wrap(reply).getInt(at) == checksum(unsigned);
  }

  private static int checksum(byte[] bytes) {
    CRC32C sum = new CRC32C();
    sum.update(bytes);
    return (int) sum.getValue();
  }
}
