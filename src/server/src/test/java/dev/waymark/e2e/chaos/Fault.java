package dev.waymark.e2e.chaos;

import java.util.List;
import java.util.SplittableRandom;

/** What befalls an upstream, and for how long. Immutable. */
record Fault(Kind kind, int pick, long forMs, long untilNextMs) {
  enum Kind {
    /** SIGKILL, then a new process in its place. */
    KILL,
    /** SIGSTOP, then SIGCONT: shorter and longer than the bridge's patience. */
    FREEZE,
    /** Draining is announced, SIGTERM follows, then a new process. */
    DRAIN,
    /** NOT_SERVING, then SERVING. */
    UNHEALTHY,
    /** It leaves the name, is ended, and comes back. */
    LEAVE,
    /** New connections are refused, then taken again; those it has go on. */
    REFUSE,
    /**
     * In its place comes a process that never answers some of the connections, and answers Pings;
     * then an honest one again.
     */
    HANG,
    /** One that was not there before joins the name, and leaves it again. */
    JOIN
  }

  private static final long FOR_MS_MIN = 500;
  private static final long FOR_MS_MAX = 6_000;
  private static final long NEXT_MS_MIN = 600;
  private static final long NEXT_MS_MAX = 2_500;

  /** The next one, of any of these kinds. */
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
