package dev.waymark.engine.lane;

import dev.waymark.engine.base.Limits;
import java.util.OptionalLong;

/**
 * Measures how long a lane's upstream has been silent, and decides when that is too long: before
 * the lane is established, before its Settings, and after a Ping (rules 5 and 7). A state machine
 * without I/O, confined to its shard's thread.
 */
final class LaneClock {
  private final Limits limits;
  private final long createdNs;
  private long openedNs;
  private long lastReceivedNs;
  private long heardNs;
  private boolean hasReceived;
  private boolean isPingOpen;
  private long pingSentNs;
  private long probeId;
  private long probeSentNs;
  private boolean isProbeOpen;
  private long measuredNs;
  private boolean isSettingsAwaited;
  private long settingsDeadlineNs;

  LaneClock(long nowNs, Limits limits) {
    this.limits = limits;
    this.createdNs = nowNs;
    this.lastReceivedNs = nowNs;
  }

  // --- inputs ---

  /** The lane is established. */
  void onOpen(long nowNs) {
    openedNs = nowNs;
    measuredNs = nowNs;
  }

  /**
   * A frame came.
   *
   * @param elapsedNs as {@code Shard.elapsedNs}
   */
  void onReceived(long nowNs, long elapsedNs) {
    lastReceivedNs = nowNs;
    heardNs = elapsedNs;
    hasReceived = true;
    isPingOpen = false;
  }

  /** A Ping was sent; if nothing comes after it, the lane is broken. */
  void onPing(long nowNs) {
    isPingOpen = true;
    pingSentNs = nowNs;
  }

  /** A Ping was sent whose Pong measures the round trip. */
  void onProbe(long nowNs, long id) {
    probeId = id;
    probeSentNs = nowNs;
    isProbeOpen = true;
  }

  /**
   * A Pong came.
   *
   * @return the round-trip time, or empty if this does not answer the last probe
   */
  OptionalLong onPong(long nowNs, long id) {
    if (!isProbeOpen || id != probeId) {
      return OptionalLong.empty();
    }
    isProbeOpen = false;
    measuredNs = nowNs;
    return OptionalLong.of(nowNs - probeSentNs);
  }

  /** Starts the time in which Settings must come. Idempotent. */
  void awaitSettings(long nowNs) {
    if (!isSettingsAwaited) {
      isSettingsAwaited = true;
      settingsDeadlineNs = nowNs + limits.settingsTimeoutNs();
    }
  }

  // --- outputs ---

  /** Whether the call was not established in time: some peers accept and never speak HTTP/2. */
  boolean isNotEstablished(long nowNs) {
    return nowNs - createdNs >= limits.laneTimeoutNs();
  }

  /** Whether Settings did not come in time. */
  boolean isSettingsOverdue(long nowNs) {
    return isSettingsAwaited && settingsDeadlineNs - nowNs <= 0;
  }

  /** Whether an upstream that gets no connections before its Settings did not send them in time. */
  boolean isRequiredSettingsOverdue(long nowNs) {
    return nowNs - openedNs >= limits.laneTimeoutNs();
  }

  /** Whether it has been silent long enough for a Ping. */
  boolean isPingDue(long nowNs) {
    return !isPingOpen && nowNs - lastReceivedNs >= limits.pingIntervalNs();
  }

  /** Whether it is time to measure the round trip again. */
  boolean isProbeDue(long nowNs) {
    return !isProbeOpen && nowNs - measuredNs >= limits.pingIntervalNs();
  }

  /** Whether nothing has come for too long after a Ping. */
  boolean isPingOverdue(long nowNs) {
    return isPingOpen && nowNs - pingSentNs >= limits.laneTimeoutNs();
  }

  /** When the last frame came, as {@code Shard.elapsedNs}; only if one has come. */
  long heardNs() {
    return heardNs;
  }

  /** Whether a frame has come and the lane is at least this old. */
  boolean hasWorkedFor(long nowNs, long leastNs) {
    return hasReceived && nowNs - createdNs >= leastNs;
  }
}
