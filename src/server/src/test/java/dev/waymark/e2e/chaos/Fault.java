package dev.waymark.e2e.chaos;

import java.util.List;
import java.util.SplittableRandom;

/** A fault that hits an upstream, and how long it lasts. Immutable. */
record Fault(Kind kind, int pick, long forMs, long untilNextMs) {
  enum Kind {
    /** SIGKILL, then a new process in its place. */
    KILL,
    /** SIGSTOP, then SIGCONT; both shorter and longer than the lane timeout. */
    FREEZE,
    /** Announces Draining, gets SIGTERM, then a new process takes its place. */
    DRAIN,
    /** NOT_SERVING, then SERVING. */
    UNHEALTHY,
    /** Leaves the DNS name and ends; a new process joins the name again. */
    LEAVE,
    /** Refuses new connections, then accepts them again; existing ones continue. */
    REFUSE,
    /**
     * Is replaced by a process that answers Pings but never answers some of the connections, and
     * later by a well-behaved one.
     */
    HANG,
    /** An additional upstream joins the DNS name and later leaves it. */
    JOIN
  }

  private static final long FOR_MS_MIN = 500;
  private static final long FOR_MS_MAX = 6_000;
  private static final long NEXT_MS_MIN = 600;
  private static final long NEXT_MS_MAX = 2_500;

  /** Returns a random fault of one of these kinds. */
  static Fault next(List<Kind> kinds, SplittableRandom random) {
    return of(kinds.get(random.nextInt(kinds.size())), random);
  }

  static Fault of(Kind kind, SplittableRandom random) {
    return new Fault(
        kind,
        random.nextInt(Integer.MAX_VALUE),
        random.nextLong(FOR_MS_MIN, FOR_MS_MAX),
        random.nextLong(NEXT_MS_MIN, NEXT_MS_MAX));
  }
}
