package dev.waymark.engine.connection;

/**
 * The evidence against one connection since an owner last made progress with its bytes (rule 3). An
 * upstream that dies takes down every request that it was working on, so few losses prove nothing:
 * they make the connection a suspect, to be tried where it endangers no other. A state machine
 * without I/O, confined to its shard's thread. How suspects are tried is in {@code Probation}.
 */
public final class Evidence {
  /** How isolated the connection was when it lost an owner. */
  public enum Company {
    /** Other connections may have caused it. */
    OTHERS,
    /** It was the only suspect on its lane, but not the upstream's only connection. */
    NO_OTHER_SUSPECT,
    /** No shard of the bridge had another connection there. */
    NOBODY,
    /** The owner lives; a clock took the connection away. */
    FENCED
  }

  /**
   * The circumstances of one loss.
   *
   * @param breaks lanes of the pool that have broken so far, this one included if it has
   * @param doubts signs that upstreams die of something other than requests
   */
  public record Loss(Company company, long breaks, int doubts) {}

  /** Nobody is to blame before this many losses. */
  static final int LOSSES_MIN = 3;

  /** From this many losses on it is a suspect: any crash costs one. */
  static final int SUSPECT_LOSSES = 2;

  /** An owner that is lost this soon after it got the bytes was lost at once. */
  static final long AT_ONCE_NS = 100_000_000L;

  /** The shortest round: by then an owner has died if it dies at once. */
  static final long ROUND_NS_MIN = 1_000_000_000L;

  /** The longest round: what kills later is left to the progress clock. */
  public static final long ROUND_NS_MAX = 30_000_000_000L;

  /** This many losses in isolation are proof, even if others kill upstreams meanwhile. */
  private static final int ISOLATED_LOSSES_MAX = 2;

  /** The same for losses as the only suspect, where other connections could not be kept away. */
  private static final int APART_LOSSES_MAX = 5;

  /** This many live owners that were fenced because of the bytes are proof. */
  private static final int FENCED_LOSSES_MAX = 3;

  private final long breaksBefore;
  private final long consumedOffset;
  private int losses;
  private int apartLosses;
  private int isolatedLosses;
  private int fencedLosses;
  private long longestNs;

  /**
   * @param breaksBefore lanes of the pool that had broken before the first loss
   * @param consumedOffset where the bytes begin that were lost
   */
  Evidence(long breaksBefore, long consumedOffset) {
    this.breaksBefore = breaksBefore;
    this.consumedOffset = consumedOffset;
  }

  /**
   * Another owner was lost while bytes of the connection waited for it.
   *
   * @param afterNs how long the owner had had them
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

  /** Whether the bytes from this offset on are those that were lost: none was consumed since. */
  boolean isAbout(long offset) {
    return offset == consumedOffset;
  }

  /** Whether it has to pass probation before it may go to an upstream that serves others. */
  boolean isSuspect() {
    return losses >= SUSPECT_LOSSES;
  }

  /** Whether some owner lived on for a while with the bytes: others are more likely to blame. */
  boolean isUnlikely() {
    return longestNs > AT_ONCE_NS;
  }

  /** How long a round may last: short rounds do not detect a request that kills its owner late. */
  long roundNs() {
    return losses < LOSSES_MIN
        ? ROUND_NS_MIN
        : Math.clamp(2 * longestNs, ROUND_NS_MIN, ROUND_NS_MAX);
  }

  /** Whether it has lost an owner in isolation. */
  boolean hasLostAlone() {
    return isolatedLosses > 0;
  }

  /**
   * Whether nothing else can have caused the losses.
   *
   * @param breaks lanes of the pool that have broken so far
   * @param doubts signs that upstreams die of something other than requests; one alone may be a
   *     coincidence
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
