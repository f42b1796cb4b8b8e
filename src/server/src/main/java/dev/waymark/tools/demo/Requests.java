package dev.waymark.tools.demo;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;

/**
 * The numbered, checksummed requests of one client, each a line, and the check of their replies:
 * each must echo its request, once, in order. Confined to its client's thread.
 */
final class Requests {
  private static final int SMALL_CHARS_MAX = 1_000;
  private static final int LARGE_CHARS_MAX = 20_000;
  private static final int LARGE_ONE_IN = 50;

  private final int client;
  private final Tally tally;
  private long sent;
  private long expected;

  Requests(int client, Tally tally) {
    this.client = client;
    this.tally = tally;
  }

  /** The next request, without its line end. */
  String next() {
    tally.sent();
    return line(sent++);
  }

  /** Checks a reply, given without its line end. */
  void onReply(String reply, long pauseNs) {
    if (isAwaitingReplies() && reply.equals(line(expected))) {
      expected++;
      tally.replied(pauseNs);
      return;
    }
    long number = numberOf(reply);
    boolean isWhole = number >= 0 && number < sent && reply.equals(line(number));
    if (isWhole && number < expected) {
      tally.twice();
    } else if (isWhole) {
      tally.lost(number - expected);
      expected = number + 1;
      tally.replied(pauseNs);
    } else {
      tally.lost(1);
      expected = Math.min(sent, expected + 1);
    }
  }

  /** Called when no more replies come. Requests without a reply are lost. */
  void onEnd() {
    tally.lost(sent - expected);
    expected = sent;
  }

  /** Whether some request has no reply yet. */
  boolean isAwaitingReplies() {
    return expected < sent;
  }

  private String line(long number) {
    SplittableRandom random = new SplittableRandom(client * 1_000_003L + number);
    int chars =
        random.nextInt(random.nextInt(LARGE_ONE_IN) == 0 ? LARGE_CHARS_MAX : SMALL_CHARS_MAX);
    String text =
        client + " " + number + " " + Character.toString('a' + (int) (number % 26)).repeat(chars);
    CRC32C sum = new CRC32C();
    sum.update(text.getBytes(StandardCharsets.US_ASCII));
    return text + " " + Long.toHexString(sum.getValue());
  }

  /** The number of the request that a reply echoes, or -1 if there is none. */
  private static long numberOf(String reply) {
    String[] parts = reply.split(" ", 3);
    try {
      return parts.length == 3 ? Long.parseLong(parts[1]) : -1;
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
