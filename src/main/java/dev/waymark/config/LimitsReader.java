package dev.waymark.config;

import static dev.waymark.config.ProcessKeys.INITIAL_WINDOW;
import static dev.waymark.config.ProcessKeys.LANE_TIMEOUT;
import static dev.waymark.config.ProcessKeys.PING_INTERVAL;
import static dev.waymark.config.ProcessKeys.RETRY_MAX;
import static dev.waymark.config.ProcessKeys.RETRY_MIN;

import dev.waymark.core.Limits;
import java.time.Duration;

/**
 * Makes the core's limits of settings, and says in the user's words what the core would only
 * assert. Confined to one load.
 */
final class LimitsReader {
  private final Settings settings;
  private final Problems problems;

  LimitsReader(Settings settings, Problems problems) {
    this.settings = settings;
    this.problems = problems;
  }

  /**
   * The limits; those by default where something is wrong.
   *
   * @param window has been read before, since listeners are checked against it
   */
  Limits read(Setting<Integer> window, Setting<Long> memoryBudget, Duration lingerTimeout) {
    Setting<Integer> initialWindow = settings.get(INITIAL_WINDOW);
    int grant = bytes(ProcessKeys.GRANT);
    int replyQueue = bytes(ProcessKeys.REPLY_QUEUE);
    int batch = bytes(ProcessKeys.BATCH);
    int queue = bytes(ProcessKeys.QUEUE);
    long settingsTimeoutNs = ns(ProcessKeys.SETTINGS_TIMEOUT);
    long commitTimeoutNs = ns(ProcessKeys.COMMIT_TIMEOUT);
    Setting<Duration> pingInterval = settings.get(PING_INTERVAL);
    Setting<Duration> laneTimeout = settings.get(LANE_TIMEOUT);
    Setting<Duration> retryMin = settings.get(RETRY_MIN);
    Setting<Duration> retryMax = settings.get(RETRY_MAX);
    long creditDelayNs = ns(ProcessKeys.CREDIT_DELAY);
    long pushWaitNs = ns(ProcessKeys.PUSH_WAIT);
    int pushBytesMax = bytes(ProcessKeys.PUSH_BYTES_MAX);
    settings.checkOrder(initialWindow, window, true);
    settings.checkOrder(pingInterval, laneTimeout, false);
    settings.checkOrder(retryMin, retryMax, true);
    if (!problems.isEmpty()) {
      return Limits.DEFAULTS;
    }
    return new Limits(
        window.value(),
        initialWindow.value(),
        grant,
        replyQueue,
        memoryBudget.value(),
        batch,
        queue,
        settingsTimeoutNs,
        commitTimeoutNs,
        pingInterval.value().toNanos(),
        laneTimeout.value().toNanos(),
        retryMin.value().toNanos(),
        retryMax.value().toNanos(),
        creditDelayNs,
        lingerTimeout.toNanos(),
        pushWaitNs,
        pushBytesMax,
        Limits.CLIENT_PIECE_BYTES,
        Limits.REPLY_PIECE_BYTES);
  }

  private int bytes(Key<Integer> key) {
    return settings.get(key).value();
  }

  private long ns(Key<Duration> key) {
    return settings.get(key).value().toNanos();
  }
}
