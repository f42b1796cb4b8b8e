package dev.waymark.e2e.chaos;

/**
 * How a client behaves.
 *
 * <p>{@code underWayMax}: requests that may wait for their replies; {@code requestsMax}: of one
 * connection, 0: until the run is over; {@code thinkMsMax}: between two requests; {@code
 * readPauseMs}: before each reply is read.
 */
enum Habit {
  /** Several requests at once on a connection that stays. */
  FAST(8, 0, 60, 0),
  /** Asks more than it reads, through small buffers of its kernel. */
  SLOW_READER(150, 0, 5, 40),
  /** Sends, ends its direction, then reads all that is owed and the end. */
  HALF_CLOSER(100, 40, 20, 0),
  /** Sends and ends at once. */
  SHORT_LIVED(3, 3, 0, 0);

  final int underWayMax;
  final int requestsMax;
  final int thinkMsMax;
  final int readPauseMs;

  Habit(int underWayMax, int requestsMax, int thinkMsMax, int readPauseMs) {
    this.underWayMax = underWayMax;
    this.requestsMax = requestsMax;
    this.thinkMsMax = thinkMsMax;
    this.readPauseMs = readPauseMs;
  }

  /** Of ten clients five are fast ones. */
  static Habit of(int client) {
    return switch (client % 10) {
      case 0 -> SLOW_READER;
      case 1, 2 -> HALF_CLOSER;
      case 3, 4 -> SHORT_LIVED;
      default -> FAST;
    };
  }
}
