package dev.waymark.protocol;

import java.nio.charset.StandardCharsets;

/**
 * The unique ID of a connection. Immutable.
 *
 * <p>The text form is Crockford base32 in lower case: 13 characters of instance, {@code -}, 9
 * characters of sequence. It is URL-safe, sorts by the bridge's start and within a shard by accept
 * order.
 *
 * @param instance the bridge process: 42 bits of milliseconds since 2020, 22 random bits; unsigned
 * @param sequence n x shards + shard, n from 1; at most 45 bits
 */
public record Mark(long instance, long sequence) {
  /** 2020-01-01T00:00:00Z, where an instance's milliseconds start. */
  static final long EPOCH_UNIX_MS = 1_577_836_800_000L;

  static final int RANDOM_BITS = 22;
  static final int INSTANCE_CHARS = 13;
  static final int SEQUENCE_CHARS = 9;

  /** The length of the text form. */
  public static final int TEXT_CHARS = INSTANCE_CHARS + 1 + SEQUENCE_CHARS;

  private static final byte[] DIGITS =
      "0123456789abcdefghjkmnpqrstvwxyz".getBytes(StandardCharsets.US_ASCII);

  /**
   * The instance of a bridge that starts at this time. Only the lowest 22 of the random bits are
   * used.
   */
  public static long instance(long startUnixMs, long random) {
    return ((startUnixMs - EPOCH_UNIX_MS) << RANDOM_BITS) | (random & ((1L << RANDOM_BITS) - 1));
  }

  /**
   * Parses the text form.
   *
   * @throws IllegalArgumentException if the text is not a mark; the message says why
   */
  public static Mark parse(String text) {
    if (text.length() != TEXT_CHARS || text.charAt(INSTANCE_CHARS) != '-') {
      throw new IllegalArgumentException(
          "'" + text + "' is not a mark: 13 characters, '-', 9 characters expected");
    }
    return new Mark(decode(text, 0, INSTANCE_CHARS), decode(text, INSTANCE_CHARS + 1, TEXT_CHARS));
  }

  /** Whether the text is a mark. For text from peers: unlike {@link #parse} it never throws. */
  public static boolean isMark(String text) {
    if (text.length() != TEXT_CHARS || text.charAt(INSTANCE_CHARS) != '-') {
      return false;
    }
    for (int i = 0; i < TEXT_CHARS; i++) {
      // 13 digits of 5 bits hold 65 bits, one more than an instance has.
      int digitMax = i == 0 ? 15 : 31;
      int digit = digit(text.charAt(i));
      if (i != INSTANCE_CHARS && (digit < 0 || digit > digitMax)) {
        return false;
      }
    }
    return true;
  }

  private static long decode(String text, int from, int to) {
    long value = 0;
    for (int i = from; i < to; i++) {
      int digit = digit(text.charAt(i));
      boolean overflows = i - from == INSTANCE_CHARS - 1 && value >>> 59 != 0;
      if (digit < 0 || overflows) {
        throw new IllegalArgumentException(
            "'" + text + "' is not a mark: character " + (i + 1) + " is invalid");
      }
      value = value << 5 | digit;
    }
    return value;
  }

  private static int digit(char c) {
    for (int i = 0; i < DIGITS.length; i++) {
      if (DIGITS[i] == c) {
        return i;
      }
    }
    return -1;
  }

  @Override
  public String toString() {
    byte[] text = new byte[TEXT_CHARS];
    encode(instance, text, 0, INSTANCE_CHARS);
    text[INSTANCE_CHARS] = '-';
    encode(sequence, text, INSTANCE_CHARS + 1, TEXT_CHARS);
    return new String(text, StandardCharsets.ISO_8859_1);
  }

  private static void encode(long value, byte[] text, int from, int to) {
    long rest = value;
    for (int i = to - 1; i >= from; i--) {
      text[i] = DIGITS[(int) (rest & 31)];
      rest >>>= 5;
    }
  }
}
