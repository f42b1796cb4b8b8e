package dev.waymark.e2e.chaos;

/**
 * How a client behaves.
 *
 * <p>{@code inFlightMax}: the most requests that wait for a reply; {@code requestsMax}: the most
 * requests of a connection, 0 for no limit; {@code thinkMsMax}: the longest pause between two
 * requests; {@code readPauseMs}: the pause before each reply is read.
 */
enum Habit {
  /** Has several requests in flight on a long-lived connection. */
  FAST(8, 0, 60, 0),
  /** Sends faster than it reads, with small kernel buffers. */
  SLOW_READER(150, 0, 5, 40),
  /** Sends, half-closes, then reads all replies and FIN. */
  HALF_CLOSER(100, 40, 20, 0),
  /** Sends up to three requests and half-closes at once. */
  SHORT_LIVED(3, 3, 0, 0);

  final int inFlightMax;
  final int requestsMax;
  final int thinkMsMax;
  final int readPauseMs;

  Habit(int inFlightMax, int requestsMax, int thinkMsMax, int readPauseMs) {
    this.inFlightMax = inFlightMax;
    this.requestsMax = requestsMax;
    this.thinkMsMax = thinkMsMax;
    this.readPauseMs = readPauseMs;
  }

  /** Of ten clients, five are fast. */
  static Habit of(int client) {
    return switch (client % 10) {
      case 0 -> SLOW_READER;
      case 1, 2 -> HALF_CLOSER;
      case 3, 4 -> SHORT_LIVED;
      default -> FAST;
    };
  }
}
