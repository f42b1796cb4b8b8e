package dev.waymark.engine.base;

/**
 * The time of one event loop, which stops while the loop does. After a SIGSTOP, a paused virtual
 * machine or a long collection of the JVM, what peers sent meanwhile has not been read yet: a
 * deadline measured across such a standstill would blame them for it. All deadlines of a loop use
 * this clock, so none has to care (docs/decisions/0029).
 *
 * <p>A loop reads the time with every input, and at least once per {@link #TICK_NS}. If it has not
 * read it for longer than {@link #GAP_NS_MAX}, it was standing still, and only one tick of that gap
 * counts. One tick always counts: on a machine where every turn is late, deadlines come later but
 * still come.
 *
 * <p>A state machine: its owner passes in the monotonic time. Confined to one thread.
 */
public final class LoopClock {
  /** A loop with nothing to do reads the time this often. */
  public static final long TICK_NS = DeadlineWheel.TICK_NS;

  /** A loop that has not read the time for longer than this was standing still. */
  public static final long GAP_NS_MAX = 2 * TICK_NS;

  /** Told of standstills; called while the time is read. */
  public interface Listener {
    /**
     * The loop was standing still.
     *
     * @param standstillNs how much of that time does not count; at least {@link #TICK_NS}
     */
    void onStandstill(long standstillNs);
  }

  private final Listener listener;
  private boolean isRunning;
  private long readNs;
  private long standstillNs;
  private boolean hasStoodStill;
  private boolean hasDeferred;

  public LoopClock(Listener listener) {
    this.listener = listener;
  }

  // --- inputs ---

  /**
   * From now on the time is read once per tick. Until then the clock shows the monotonic time as it
   * is.
   */
  public void start(long monotonicNs) {
    isRunning = true;
    readNs = monotonicNs;
  }

  /**
   * The time of the loop.
   *
   * @param monotonicNs read just now
   */
  public long nowNs(long monotonicNs) {
    if (isRunning) {
      long gapNs = monotonicNs - readNs;
      readNs = monotonicNs;
      if (gapNs > GAP_NS_MAX) {
        onGap(gapNs);
      }
    }
    return monotonicNs - standstillNs;
  }

  /**
   * Whether a timer that is due now has to wait for one more tick: the loop has stood still since
   * the last call, and must first read what arrived meanwhile. Never true twice in a row.
   */
  public boolean isDeferringDeadlines() {
    hasDeferred = hasStoodStill && !hasDeferred;
    hasStoodStill = false;
    return hasDeferred;
  }

  // --- outputs ---

  /** The time that did not count so far: how far the monotonic time is ahead of the loop's. */
  public long standstillNs() {
    return standstillNs;
  }

  // --- transitions ---

  private void onGap(long gapNs) {
    long lostNs = gapNs - TICK_NS;
    standstillNs += lostNs;
    hasStoodStill = true;
    listener.onStandstill(lostNs);
  }
}
