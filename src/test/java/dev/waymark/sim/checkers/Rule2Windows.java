package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.core.Reopen;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Windows and limits: the bridge keeps to its window, limits never go down, who overruns loses that
 * connection.
 */
public final class Rule2Windows implements Watcher {
  private static final String RULE = "rule 2 (windows)";

  private static final class State {
    int lane;
    int epoch;
    long sent;
    long consumed;
    long limit;
    long received;
    long heldConsumed = -1;
    boolean isHeldClose;
    boolean isOver;
    boolean isBreach;
  }

  private final int windowBytes;
  private final int initialWindowBytes;
  private final Map<Long, State> states = new HashMap<>();
  private final Map<Integer, Integer> windows = new HashMap<>();
  private final Set<Integer> plainLanes = new HashSet<>();
  private final Map<Integer, Long> fullSinceNs = new HashMap<>();
  private final long settingsTimeoutNs;
  private long nowNs;

  public Rule2Windows(int windowBytes, int initialWindowBytes, long settingsTimeoutNs) {
    this.windowBytes = windowBytes;
    this.initialWindowBytes = initialWindowBytes;
    this.settingsTimeoutNs = settingsTimeoutNs;
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable Reopen left) {
    State state = new State();
    state.lane = lane;
    state.epoch = epoch;
    state.limit = limit;
    if (left != null) {
      state.sent = left.firstOffset();
      state.consumed = left.firstOffset();
      state.received = left.taken();
    }
    states.put(connection, state);
  }

  @Override
  public void onSettings(int lane, int asked) {
    windows.put(lane, asked == 0 ? windowBytes : Math.min(asked, windowBytes));
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    State state = states.get(connection);
    state.sent += bytes.length;
    if (!isPlain(lane)) {
      int window = windows.getOrDefault(lane, initialWindowBytes);
      long unconsumed = state.sent - state.consumed;
      require(
          unconsumed <= window || bytes.length == 0,
          RULE,
          "more than the window under way",
          connection,
          unconsumed,
          window);
    }
  }

  private boolean isPlain(int lane) {
    Long sinceNs = fullSinceNs.get(lane);
    boolean isTimedOut =
        !windows.containsKey(lane) && sinceNs != null && nowNs - sinceNs >= settingsTimeoutNs;
    return plainLanes.contains(lane) || isTimedOut;
  }

  @Override
  public void onLimit(int lane, long connection, int epoch, long limit) {
    State state = states.get(connection);
    require(limit >= state.limit, RULE, "a limit went down", connection, limit, state.limit);
    state.limit = limit;
  }

  @Override
  public void onUpstreamFrame(int lane, UpstreamEvent frame) {
    boolean isAcknowledging = windows.containsKey(lane);
    if (!isAcknowledging) {
      plainLanes.add(lane);
    }
    State state = states.get(frame.connection());
    if (state == null || state.isOver || state.lane != lane || frame.epoch() < state.epoch) {
      return;
    }
    state.received += frame.bytes();
    if (isAcknowledging && state.received > state.limit) {
      state.isBreach = true;
    }
    if (frame.consumed() > state.sent || frame.epoch() != state.epoch) {
      state.isBreach = true;
    }
    state.heldConsumed = Math.max(state.heldConsumed, frame.consumed());
    if (!frame.more() && !state.isBreach) {
      state.consumed = Math.max(state.consumed, state.heldConsumed);
    }
    state.isHeldClose |= frame.close() != 0 || frame.isReleased();
    if (state.isHeldClose && !frame.more()) {
      state.isOver = true;
    }
  }

  @Override
  public void onClose(int lane, long connection, int epoch, String reason) {
    State state = states.get(connection);
    if (state != null) {
      boolean isBlamed = reason.equals("FLOW_CONTROL") && windows.containsKey(lane);
      require(
          !isBlamed || state.isBreach,
          RULE,
          "FLOW_CONTROL without a breach",
          connection,
          state.received,
          state.limit);
      state.isOver = true;
    }
  }

  @Override
  public void onLaneEnd(int lane) {
    for (State state : states.values()) {
      state.isOver |= state.lane == lane;
    }
  }

  @Override
  public void onTime(long now) {
    nowNs = now;
  }

  @Override
  public void onStepEnd(long heldBytes) {
    states.forEach((connection, state) -> {
      require(
          state.isOver || !state.isBreach, RULE, "a breach did not end its connection", connection);
      if (!state.isOver && state.sent - state.consumed >= initialWindowBytes) {
        fullSinceNs.putIfAbsent(state.lane, nowNs);
      }
    });
    states.values().removeIf(state -> state.isOver);
  }
}
