package dev.waymark.engine.lane;

import dev.waymark.engine.base.Limits;
import java.util.OptionalLong;

/**
 * When a lane's upstream was heard, and how long it may be silent: before the lane is established,
 * before its Settings, and after a Ping (rules 5 and 7). A state machine without I/O, confined to
 * its shard's thread.
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
   * @return how long the round trip took; empty where it does not answer the last Ping
   */
  OptionalLong onPong(long nowNs, long id) {
    if (!isProbeOpen || id != probeId) {
      return OptionalLong.empty();
    }
    isProbeOpen = false;
    measuredNs = nowNs;
    return OptionalLong.of(nowNs - probeSentNs);
  }

  /** From now on Settings are awaited. Idempotent. */
  void awaitSettings(long nowNs) {
    if (!isSettingsAwaited) {
      isSettingsAwaited = true;
      settingsDeadlineNs = nowNs + limits.settingsTimeoutNs();
    }
  }

  // --- outputs ---

  /** The call was not established in time: some peers accept and then never speak HTTP/2. */
  boolean isNotEstablished(long nowNs) {
    return nowNs - createdNs >= limits.laneTimeoutNs();
  }

  /** Settings did not come in time. */
  boolean isSettingsOverdue(long nowNs) {
    return isSettingsAwaited && settingsDeadlineNs - nowNs <= 0;
  }

  /** An upstream that gets nothing before its Settings has not sent them in time. */
  boolean isProofOverdue(long nowNs) {
    return nowNs - openedNs >= limits.laneTimeoutNs();
  }

  /** It has been silent long enough for a Ping. */
  boolean isPingDue(long nowNs) {
    return !isPingOpen && nowNs - lastReceivedNs >= limits.pingIntervalNs();
  }

  /** It is time to measure the round trip again. */
  boolean isProbeDue(long nowNs) {
    return !isProbeOpen && nowNs - measuredNs >= limits.pingIntervalNs();
  }

  /** Nothing came after a Ping for too long. */
  boolean isPingOverdue(long nowNs) {
    return isPingOpen && nowNs - pingSentNs >= limits.laneTimeoutNs();
  }

  /** When something last came, as {@code Shard.elapsedNs}; only if something has. */
  long heardNs() {
    return heardNs;
  }

  /** Something came, and that long has passed since the lane was made. */
  boolean hasWorkedFor(long nowNs, long leastNs) {
    return hasReceived && nowNs - createdNs >= leastNs;
  }
}
