package dev.waymark.engine.connection;

/**
 * Measures whether an owner works on what it was sent (rule 7). Idle connections have nothing
 * unconsumed, so the clock does not run for them. A state machine without I/O, confined to its
 * shard's thread.
 */
final class ProgressClock {
  /** What the clock says about an owner. */
  enum Verdict {
    WORKING,
    /** No frame came for too long; another owner may do better. */
    STALLED,
    /** Frames come, but the window has been full for too long without any {@code consumed}. */
    WINDOW_STALLED
  }

  private final long timeoutNs;
  private long progressNs;
  private long signNs;
  private long servedNs;
  private boolean isPaused;
  private long pausedNs;

  /**
   * @param timeoutNs 0 if every owner counts as working
   */
  ProgressClock(long timeoutNs) {
    this.timeoutNs = timeoutNs;
  }

  // --- inputs ---

  /** Bytes were sent where none was unconsumed, or {@code consumed} moved. */
  void onProgress(long nowNs) {
    progressNs = nowNs;
    signNs = nowNs;
    pausedNs = nowNs;
  }

  /**
   * The client begins to wait, or a commit took effect: the client has been served until now.
   *
   * @param elapsedNs as {@code Shard.elapsedNs}: a client waits while the bridge stands still, too
   */
  void onServed(long elapsedNs) {
    servedNs = elapsedNs;
  }

  /** A frame came, even an empty one. */
  void onSign(long nowNs) {
    signNs = nowNs;
  }

  /** Replies wait for the client, so the owner may be waiting for credit: the clock stops. */
  void pause(long nowNs) {
    if (!isPaused) {
      isPaused = true;
      pausedNs = nowNs;
    }
  }

  /**
   * The client took all replies.
   *
   * @param elapsedNs as for {@link #onServed}
   */
  void resume(long nowNs, long elapsedNs) {
    if (isPaused) {
      isPaused = false;
      progressNs += nowNs - pausedNs;
      signNs = nowNs;
      servedNs = elapsedNs;
    }
  }

  // --- outputs ---

  /** Whether there is a timeout. */
  boolean isOn() {
    return timeoutNs > 0;
  }

  /** When the last frame came. */
  long signNs() {
    return signNs;
  }

  /** Until when the client was served, as {@code Shard.elapsedNs}; only while it waits. */
  long servedNs() {
    return servedNs;
  }

  /** How long the owner has had bytes without consuming any; only while it has some. */
  long waitedNs(long nowNs) {
    return nowNs - progressNs;
  }

  /** Returns the verdict; called only while bytes are unconsumed. */
  Verdict verdict(long nowNs, boolean isWindowFull) {
    if (!isOn() || isPaused) {
      return Verdict.WORKING;
    }
    if (nowNs - signNs >= timeoutNs) {
      return Verdict.STALLED;
    }
    return isWindowFull && nowNs - progressNs >= timeoutNs
        ? Verdict.WINDOW_STALLED
        : Verdict.WORKING;
  }

  /** Returns when to ask for the next verdict; called only while the clock is on. */
  long deadlineNs(long nowNs, boolean isWaiting, boolean isWindowFull) {
    boolean isRunning = isWaiting && !isPaused;
    return (isRunning ? (isWindowFull ? progressNs : signNs) : nowNs) + timeoutNs;
  }
}
