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
 * Whether the upstream of one lane acknowledges, and what window it has (rule 5). Settings as its
 * first message show that it does; anything else, or no message in time, that it does not: delivery
 * is then at most once. Inputs return whether that was decided now, in which case every connection
 * of the lane is told. A state machine without I/O, confined to its shard's thread.
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

  /**
   * @param options of its pool; they may change
   * @param hasAcknowledged the upstream said Settings on an earlier lane
   */
  LaneMode(Supplier<PoolOptions> options, Limits limits, boolean hasAcknowledged) {
    this.options = options;
    this.limits = limits;
    this.hasAcknowledged = hasAcknowledged;
    this.windowBytes = limits.initialWindowBytes();
  }

  // --- inputs ---

  /** The lane is open, or a tick has passed, in which options may have changed. */
  boolean decideByOptions() {
    return mode == Mode.UNKNOWN && isIgnoringSettings() && becomeAtMostOnce();
  }

  /**
   * A frame came.
   *
   * @param control null: it is for a connection
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

  /** Settings may still come. */
  boolean isUndecided() {
    return mode == Mode.UNKNOWN && acknowledge() == Acknowledge.AUTO;
  }

  /** Its pool ignores Settings. */
  boolean isIgnoringSettings() {
    return acknowledge() == Acknowledge.NEVER;
  }

  /** It gets nothing until it says Settings. */
  boolean isUnproven() {
    return mode != Mode.ACKNOWLEDGING
        && switch (acknowledge()) {
          case AUTO -> hasAcknowledged;
          case REQUIRED -> true;
          case NEVER -> false;
        };
  }

  /** Of each connection, now. */
  int windowBytes() {
    return windowBytes;
  }

  /** For people. */
  String label() {
    return mode.name().toLowerCase(Locale.ROOT);
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
