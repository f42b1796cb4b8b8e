package dev.waymark.engine.connection;

/**
 * What speaks against one connection since its owners last made progress with its bytes (rule 3).
 * An upstream that dies takes every request along that it was working on, so a loss alone proves
 * nothing: it makes the connection a suspect, which is tried where nobody else is. A state machine
 * without I/O, confined to its shard's thread.
 */
public final class Evidence {
  /** In what company an owner was lost. */
  public enum Company {
    /** Others might have caused it. */
    OTHERS,
    /** It was the only suspect on its lane, but not the only connection of the upstream. */
    NO_OTHER_SUSPECT,
    /** No shard of the bridge had another connection there. */
    NOBODY,
    /** The owner lives: a clock took the connection from it. */
    FENCED
  }

  /**
   * The circumstances of one loss.
   *
   * @param breaks lanes of the pool that have broken so far, this one included if it has
   * @param doubts signs that upstreams die of something else than what clients send
   */
  public record Loss(Company company, long breaks, int doubts) {}

  /** One bad request must not walk through the fleet: nobody is to blame before so many losses. */
  static final int LOSSES_MIN = 3;

  /** From so many losses on it is a suspect: one loss is what any crash costs. */
  static final int SUSPECT_LOSSES = 2;

  /** An owner that is lost within this time of being given the bytes is lost at once. */
  static final long AT_ONCE_NS = 100_000_000L;

  /** An owner that has not answered by then does not die of it at once. */
  static final long ROUND_NS_MIN = 1_000_000_000L;

  /** Who kills later than this is found by the progress clock, if at all. */
  public static final long ROUND_NS_MAX = 30_000_000_000L;

  /** So many losses in nobody's company are proof, though others kill upstreams meanwhile. */
  private static final int ISOLATED_LOSSES_MAX = 2;

  /** The same, where other connections could not be kept away. */
  private static final int APART_LOSSES_MAX = 5;

  /** So many owners that live and did not deal with the bytes in time are proof. */
  private static final int FENCED_LOSSES_MAX = 3;

  private final long breaksBefore;
  private int losses;
  private int apartLosses;
  private int isolatedLosses;
  private int fencedLosses;
  private long longestNs;

  /**
   * @param breaksBefore lanes of the pool that had broken before its first loss
   */
  Evidence(long breaksBefore) {
    this.breaksBefore = breaksBefore;
  }

  /**
   * Another owner was lost while bytes of the connection waited for it.
   *
   * @param afterNs how long it had had them
   */
  void onLoss(Company company, long afterNs) {
    losses++;
    longestNs = Math.max(longestNs, afterNs);
    switch (company) {
      case OTHERS -> {}
      case NO_OTHER_SUSPECT -> apartLosses++;
      case NOBODY -> {
        apartLosses++;
        isolatedLosses++;
      }
      case FENCED -> fencedLosses++;
    }
  }

  /** It is to be tried before it is given to an upstream that serves others. */
  boolean isSuspect() {
    return losses >= SUSPECT_LOSSES;
  }

  /** Some owner went on for a while with the bytes before it was lost, so others are likelier. */
  boolean isUnlikely() {
    return longestNs > AT_ONCE_NS;
  }

  /**
   * How long a round lasts at most: a request that kills its owner late is not found by short ones.
   */
  long roundNs() {
    return losses < LOSSES_MIN
        ? ROUND_NS_MIN
        : Math.clamp(2 * longestNs, ROUND_NS_MIN, ROUND_NS_MAX);
  }

  /** It has lost an owner that nobody else used. */
  boolean hasLostAlone() {
    return isolatedLosses > 0;
  }

  /**
   * Nothing else can have caused the losses.
   *
   * @param breaks lanes of the pool that have broken so far
   * @param doubts signs that upstreams die of something else than what clients send; one alone may
   *     be a coincidence
   */
  boolean isProof(long breaks, int doubts) {
    boolean wasAtEachBreak = breaks - breaksBefore <= losses;
    int more = Math.max(0, doubts - 1);
    return losses >= LOSSES_MIN
        && ((isolatedLosses > 0 && wasAtEachBreak && doubts == 0)
            || isolatedLosses >= ISOLATED_LOSSES_MAX + more
            || apartLosses >= APART_LOSSES_MAX + more
            || fencedLosses >= FENCED_LOSSES_MAX);
  }
}
