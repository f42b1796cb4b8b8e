package dev.waymark.config;

import static dev.waymark.config.ProcessKeys.INITIAL_WINDOW;
import static dev.waymark.config.ProcessKeys.LANE_TIMEOUT;
import static dev.waymark.config.ProcessKeys.PING_INTERVAL;

import dev.waymark.config.Settings.Range;
import dev.waymark.engine.base.Limits;
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
    int grant = settings.value(ProcessKeys.GRANT);
    int replyQueue = settings.value(ProcessKeys.REPLY_QUEUE);
    int batch = settings.value(ProcessKeys.BATCH);
    int queue = settings.value(ProcessKeys.QUEUE);
    long settingsTimeoutNs = ns(ProcessKeys.SETTINGS_TIMEOUT);
    long commitTimeoutNs = ns(ProcessKeys.COMMIT_TIMEOUT);
    Setting<Duration> pingInterval = settings.get(PING_INTERVAL);
    Setting<Duration> laneTimeout = settings.get(LANE_TIMEOUT);
    Range<Duration> retry = settings.range(ProcessKeys.RETRY_MIN, ProcessKeys.RETRY_MAX);
    long creditDelayNs = ns(ProcessKeys.CREDIT_DELAY);
    long pushWaitNs = ns(ProcessKeys.PUSH_WAIT);
    int pushBytesMax = settings.value(ProcessKeys.PUSH_BYTES_MAX);
    settings.checkOrder(initialWindow, window, true);
    settings.checkOrder(pingInterval, laneTimeout, false);
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
        retry.min().toNanos(),
        retry.max().toNanos(),
        creditDelayNs,
        lingerTimeout.toNanos(),
        pushWaitNs,
        pushBytesMax,
        Limits.BUFFER_OVERHEAD_BYTES);
  }

  private long ns(Key<Duration> key) {
    return settings.value(key).toNanos();
  }
}
