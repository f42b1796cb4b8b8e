package dev.waymark.tools.bench;

import java.nio.ByteBuffer;
import java.util.Locale;

/**
 * The first wrong byte that a connection was sent, and what seems to have happened. Immutable.
 *
 * @param connection its number
 * @param offset of the byte in the connection's stream
 * @param expected as an unsigned number, as is got
 * @param story where the bytes that came belong, in words
 */
record Corruption(Kind kind, int connection, long offset, int expected, int got, String story) {
  /** Within so many bytes a whole word is found, wherever the wrong run begins. */
  private static final int SEARCH_BYTES = 2 * Payload.WORD_BYTES;

  /** How far another connection may be ahead; beyond, a word is no connection's. */
  private static final long AHEAD_FACTOR = 100;

  private static final long AHEAD_BYTES = 1L << 30;

  /** What can be wrong with a byte. */
  enum Kind {
    /** Another value; what follows is in its place, or too short to tell. */
    CHANGED,
    /** Later bytes of the same connection stand here. */
    LOST,
    /** Earlier bytes of the same connection stand here. */
    DOUBLED,
    /** Later bytes stand here, and those that belong here come after them. */
    SWAPPED,
    /** Bytes of another connection. */
    FOREIGN,
    /** More than was sent. */
    UNASKED
  }

  /**
   * Looks at the bytes from the first wrong one on.
   *
   * @param in absolute access only; up to its limit
   * @param at the index of the wrong byte in the buffer
   * @param offset of that byte in the stream
   * @param sentOffset how much the connection has sent
   * @param connections how many numbers are given out
   */
  static Corruption find(
      Payload payload,
      ByteBuffer in,
      int at,
      int connection,
      long offset,
      long sentOffset,
      int connections) {
    int expected = payload.at(connection, offset) & 0xff;
    int got = in.get(at) & 0xff;
    for (int i = 0; i < SEARCH_BYTES && at + i + Payload.WORD_BYTES <= in.limit(); i++) {
      Payload.Place place = payload.placeOf(in.getLong(at + i));
      long from = place.offset() - i;
      if (place.number() == connection && from == offset) {
        break;
      }
      if (place.number() == connection && place.offset() < sentOffset) {
        boolean isSwapped = from > offset && hasLater(payload, in, at, connection, offset);
        Kind kind = from < offset ? Kind.DOUBLED : isSwapped ? Kind.SWAPPED : Kind.LOST;
        return new Corruption(kind, connection, offset, expected, got, moved(kind, offset, from));
      }
      if (place.number() < connections
          && place.number() != connection
          && place.offset() < AHEAD_FACTOR * sentOffset + AHEAD_BYTES) {
        String story =
            String.format(
                Locale.ROOT,
                "bytes of connection %d, offset %d",
                place.number(),
                Math.max(0, from));
        return new Corruption(Kind.FOREIGN, connection, offset, expected, got, story);
      }
    }
    return offset >= sentOffset
        ? new Corruption(Kind.UNASKED, connection, offset, expected, got, "more than was sent")
        : new Corruption(Kind.CHANGED, connection, offset, expected, got, "another value");
  }

  /** Bytes that are right, and come before they were sent. */
  static Corruption unasked(int connection, long offset) {
    return new Corruption(Kind.UNASKED, connection, offset, 0, 0, "more than was sent");
  }

  /** One line for the user. */
  String text() {
    return String.format(
        Locale.ROOT,
        "connection %d, offset %d: expected byte 0x%02x, got 0x%02x: %s (%s)",
        connection,
        offset,
        expected,
        got,
        kind.name().toLowerCase(Locale.ROOT),
        story);
  }

  private static boolean hasLater(
      Payload payload, ByteBuffer in, int at, int connection, long offset) {
    long expected = payload.word(connection, (offset + Payload.WORD_BYTES - 1) >>> 3);
    for (int i = at + 1; i + Payload.WORD_BYTES <= in.limit(); i++) {
      if (in.getLong(i) == expected) {
        return true;
      }
    }
    return false;
  }

  private static String moved(Kind kind, long offset, long from) {
    return switch (kind) {
      case LOST -> String.format(Locale.ROOT, "%d bytes are missing", from - offset);
      case DOUBLED -> String.format(Locale.ROOT, "%d bytes come again", offset - from);
      default -> String.format(Locale.ROOT, "bytes of offset %d stand here", from);
    };
  }
}
