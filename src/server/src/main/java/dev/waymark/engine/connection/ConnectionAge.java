package dev.waymark.engine.connection;

import dev.waymark.protocol.Mark;

/**
 * Decides when one connection ends because of its age: from a first instant on as soon as it is
 * quiet, at a last instant in any case. A hash of its mark places the first instant within the
 * jitter, so that the ends of many connections are spread evenly. Confined to its shard's thread.
 */
final class ConnectionAge {
  /**
   * Without {@code consumed} nothing says that a reply is complete: such a connection is quiet when
   * no byte has moved for this long.
   */
  static final long SILENCE_NS = 1_000_000_000L;

  /** The grace period is at most the drain timeout divided by this. */
  private static final int DRAIN_GRACE_DIVISOR = 4;

  private final long graceNs;
  private final double place;
  private long fromNs;
  private long untilNs;
  private long lookNs;

  /**
   * @param options must have a limit
   */
  ConnectionAge(AgeOptions options, Mark mark, long nowNs) {
    this.graceNs = options.graceNs();
    this.place = place(mark);
    long jitterNs = (long) (options.maxNs() / 100.0 * options.jitterPercent() * place);
    this.fromNs = nowNs + options.maxNs() - jitterNs;
    this.untilNs = fromNs + graceNs;
    this.lookNs = fromNs;
  }

  // --- inputs ---

  /**
   * The bridge stops in this time: the connection ends within it, at an instant of its own, and
   * never later than it would have.
   */
  void onDrain(long nowNs, long timeoutNs) {
    long drainGraceNs = Math.min(graceNs, timeoutNs / DRAIN_GRACE_DIVISOR);
    long drainFromNs = nowNs + (long) (place * (timeoutNs - drainGraceNs));
    if (drainFromNs - fromNs < 0) {
      fromNs = drainFromNs;
    }
    // A connection that is already due gets the grace of the drain from now on.
    long drainUntilNs = Math.max(fromNs - nowNs, 0) + nowNs + drainGraceNs;
    if (drainUntilNs - untilNs < 0) {
      untilNs = drainUntilNs;
    }
    long firstNs = isDue(nowNs) ? nowNs : fromNs;
    if (firstNs - lookNs < 0) {
      lookNs = firstNs;
    }
  }

  /** The connection is due but not quiet. Becoming quiet is no input, so look again soon. */
  void onNotQuiet(long nowNs) {
    lookNs = nowNs + Math.min(untilNs - nowNs, SILENCE_NS);
  }

  // --- outputs ---

  /** Whether it ends at the next quiet instant. */
  boolean isDue(long nowNs) {
    return fromNs - nowNs <= 0;
  }

  /** Whether it ends now, quiet or not. */
  boolean isOver(long nowNs) {
    return untilNs - nowNs <= 0;
  }

  /** When to check again; changes with inputs. */
  long deadlineNs() {
    return lookNs;
  }

  /**
   * Returns an evenly distributed number from 0 to 1: the finalizer of SplitMix64 over the mark.
   */
  private static double place(Mark mark) {
    long z = mark.instance() ^ (mark.sequence() * 0x9e3779b97f4a7c15L);
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return ((z ^ (z >>> 31)) >>> 11) * 0x1.0p-53;
  }
}
