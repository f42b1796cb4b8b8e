package dev.waymark.tools.bench;

import java.nio.ByteBuffer;
import java.util.Locale;

/**
 * The first wrong byte that a connection received, and what seems to have happened. Immutable.
 *
 * @param connection the connection's number
 * @param offset the offset of the byte in the connection's stream
 * @param expected the expected byte, unsigned
 * @param got the received byte, unsigned
 * @param story where the received bytes belong, in words
 */
record Corruption(Kind kind, int connection, long offset, int expected, int got, String story) {
  /** So many bytes contain at least one whole word, wherever they start. */
  private static final int SEARCH_BYTES = 2 * Payload.WORD_BYTES;

  /** How far another connection may be ahead. A word from further ahead is taken for garbage. */
  private static final long AHEAD_FACTOR = 100;

  private static final long AHEAD_BYTES = 1L << 30;

  /** The kinds of corruption. */
  enum Kind {
    /** A byte has a different value. The bytes after it are in place, or too few to tell. */
    CHANGED,
    /** Later bytes of the same connection are here. */
    LOST,
    /** Earlier bytes of the same connection are here again. */
    DUPLICATED,
    /** Later bytes of the same connection are here, followed by those that belong here. */
    SWAPPED,
    /** Bytes of another connection are here. */
    FOREIGN,
    /** More bytes than were sent. */
    EXCESS
  }

  /**
   * Analyses the bytes from the first wrong one on.
   *
   * @param in read up to its limit, by absolute index
   * @param at the index of the wrong byte in the buffer
   * @param offset the offset of that byte in the stream
   * @param sentOffset how many bytes the connection has sent
   * @param connections the upper bound of the connection numbers in use
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
        Kind kind = from < offset ? Kind.DUPLICATED : isSwapped ? Kind.SWAPPED : Kind.LOST;
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
        ? new Corruption(
            Kind.EXCESS, connection, offset, expected, got, "more bytes than were sent")
        : new Corruption(Kind.CHANGED, connection, offset, expected, got, "different value");
  }

  /** Describes correct bytes that came before they were sent. */
  static Corruption excess(int connection, long offset) {
    return new Corruption(Kind.EXCESS, connection, offset, 0, 0, "more bytes than were sent");
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
      case DUPLICATED -> String.format(Locale.ROOT, "%d bytes are repeated", offset - from);
      default -> String.format(Locale.ROOT, "bytes of offset %d are here", from);
    };
  }
}
