package dev.waymark.engine.lane;

import dev.waymark.engine.base.Limits;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.base.PoolOptions.Acknowledge;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamControl.Settings;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether the upstream of one lane acknowledges, and its window (rule 5). If its first
 * message is Settings it does; if it is anything else, or does not come in time, it does not, and
 * delivery is at most once. Inputs return whether that has just been decided; the caller then tells
 * every connection of the lane. A state machine without I/O, confined to its shard's thread.
 */
final class LaneMode {
  private enum Mode {
    /** Not decided; to one of the others. */
    UNKNOWN,
    /** Settings came: windows, credit and clocks apply. */
    ACKNOWLEDGING,
    /** Something else came first, or nothing in time: no acknowledgements, no replay (rule 5). */
    AT_MOST_ONCE
  }

  private final Supplier<PoolOptions> options;
  private final Limits limits;
  private final boolean hasAcknowledged;
  private Mode mode = Mode.UNKNOWN;
  private int windowBytes;
  private boolean isPinned;

  /**
   * @param options the options of the pool; they may change
   * @param hasAcknowledged whether the upstream sent Settings on an earlier lane
   */
  LaneMode(Supplier<PoolOptions> options, Limits limits, boolean hasAcknowledged) {
    this.options = options;
    this.limits = limits;
    this.hasAcknowledged = hasAcknowledged;
    this.windowBytes = limits.initialWindowBytes();
  }

  // --- inputs ---

  /** The lane is open, or a tick has passed and options may have changed. */
  boolean decideByOptions() {
    return mode == Mode.UNKNOWN && isIgnoringSettings() && becomeAtMostOnce();
  }

  /**
   * A frame came.
   *
   * @param control null if it is for a connection
   */
  boolean onFrame(@Nullable UpstreamControl control) {
    return isUndecided() && !(control instanceof Settings) && becomeAtMostOnce();
  }

  /** Settings did not come in time. */
  boolean onSettingsOverdue() {
    return mode == Mode.UNKNOWN && becomeAtMostOnce();
  }

  /** Settings came, for the first time or again; they are neither late nor ignored. */
  void onSettings(Settings settings) {
    mode = Mode.ACKNOWLEDGING;
    isPinned = settings.isPinned();
    int own = limits.windowBytes();
    int asked = settings.windowBytes();
    windowBytes = asked <= 0 ? own : Math.min(own, asked);
  }

  // --- outputs ---

  boolean isAcknowledging() {
    return mode == Mode.ACKNOWLEDGING;
  }

  boolean isAtMostOnce() {
    return mode == Mode.AT_MOST_ONCE;
  }

  /** Whether it acknowledges, but its connections can neither be moved nor replayed. */
  boolean isPinned() {
    return isPinned;
  }

  /** Whether Settings may still come. */
  boolean isUndecided() {
    return mode == Mode.UNKNOWN && acknowledge() == Acknowledge.AUTO;
  }

  /** Whether its pool ignores Settings. */
  boolean isIgnoringSettings() {
    return acknowledge() == Acknowledge.NEVER;
  }

  /** Whether it gets no connections until it sends Settings. */
  boolean needsSettings() {
    return mode != Mode.ACKNOWLEDGING
        && switch (acknowledge()) {
          case AUTO -> hasAcknowledged;
          case REQUIRED -> true;
          case NEVER -> false;
        };
  }

  /** The current window of each connection. */
  int windowBytes() {
    return windowBytes;
  }

  /** For operators. */
  String label() {
    return isPinned ? "pinned" : mode.name().toLowerCase(Locale.ROOT);
  }

  // --- transitions ---

  private Acknowledge acknowledge() {
    return options.get().acknowledge();
  }

  private boolean becomeAtMostOnce() {
    mode = Mode.AT_MOST_ONCE;
    windowBytes = Integer.MAX_VALUE;
    return true;
  }
}
