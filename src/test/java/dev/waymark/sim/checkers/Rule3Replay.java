package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.core.CloseReason;
import dev.waymark.core.Reopen;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Replay and atomic commits (rules 3 and 4): a new owner is given exactly what no former owner has
 * consumed, and is told exactly what took effect.
 */
public final class Rule3Replay implements Watcher {
  private static final String RULE = "rule 3 (replay)";
  private static final int LOSSES_MAX = 2;

  private static final class State {
    int lane = -1;
    int epoch;
    long sent;
    long consumed;
    long taken;
    long replyStart;
    long clientBytes;
    boolean isClientEnded;
    boolean isRepliesEnded;
    int lossesWithoutProgress;
    long held;
    long heldConsumed = -1;
    boolean isHeldEnd;
    int heldClose;

    void drop() {
      held = 0;
      heldConsumed = -1;
      isHeldEnd = false;
      heldClose = 0;
    }

    /** The owner was lost. */
    void lost() {
      lossesWithoutProgress += sent > consumed ? 1 : 0;
      left();
    }

    /** Another owner is needed. */
    void left() {
      lane = -1;
      drop();
      sent = consumed;
    }
  }

  private final Map<Long, State> states = new HashMap<>();
  private final Set<Integer> plainLanes = new HashSet<>();

  @Override
  public void onAccepted(long connection) {
    states.put(connection, new State());
  }

  @Override
  public void onClientBytes(long connection, int bytes, boolean isLast) {
    states.get(connection).clientBytes += bytes;
  }

  @Override
  public void onClientEnd(long connection) {
    states.get(connection).isClientEnded = true;
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable Reopen left) {
    State state = states.get(connection);
    state.lane = lane;
    state.epoch = epoch;
    if (left != null) {
      require(
          left.firstOffset() == state.consumed,
          RULE,
          "not replayed from what was consumed",
          connection,
          left.firstOffset(),
          state.consumed);
      require(left.taken() == state.taken, RULE, "taken", connection, left.taken(), state.taken);
      require(
          left.takenSinceConsumed() == state.taken - state.replyStart,
          RULE,
          "taken since consumed",
          connection,
          left.takenSinceConsumed());
      require(
          left.clientEndedAt() == (state.isClientEnded ? state.clientBytes : -1),
          RULE,
          "where the client ended",
          connection,
          left.clientEndedAt());
      require(left.isRepliesEnded() == state.isRepliesEnded, RULE, "replies ended", connection);
      require(
          state.lossesWithoutProgress <= LOSSES_MAX,
          RULE,
          "re-opened too often without progress",
          connection);
    }
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    states.get(connection).sent = offset + bytes.length;
  }

  @Override
  public void onUpstreamFrame(int lane, UpstreamEvent frame) {
    State state = states.get(frame.connection());
    if (state == null || state.lane != lane || state.epoch != frame.epoch()) {
      return;
    }
    state.held += frame.bytes();
    state.heldConsumed = Math.max(state.heldConsumed, frame.consumed());
    state.isHeldEnd |= frame.halfClose();
    state.heldClose = frame.close() == 0 ? state.heldClose : frame.close();
    if (!frame.more()) {
      state.taken += state.held;
      state.isRepliesEnded |= state.isHeldEnd;
      if (state.heldConsumed >= 0) {
        state.replyStart = state.taken;
        state.lossesWithoutProgress =
            state.heldConsumed > state.consumed ? 0 : state.lossesWithoutProgress;
        state.consumed = Math.max(state.consumed, state.heldConsumed);
      }
      boolean isRefusal = CloseReason.ofWireCode(state.heldClose).isRefusal();
      state.drop();
      if (frame.isReleased() || (isRefusal && !plainLanes.contains(lane))) {
        state.left();
      }
    }
  }

  @Override
  public void onClose(int lane, long connection, int epoch, String reason) {
    State state = states.get(connection);
    if (state != null && state.lane == lane && reason.equals("FENCED")) {
      state.lost();
    }
  }

  @Override
  public void onPlain(int lane) {
    plainLanes.add(lane);
    states.values().stream()
        .filter(state -> state.lane == lane)
        .forEach(state -> state.consumed = Math.max(state.consumed, state.sent));
  }

  @Override
  public void onLaneEnd(int lane) {
    for (State state : states.values()) {
      if (state.lane == lane) {
        state.lost();
      }
    }
  }

  @Override
  public void onSocketClosed(long connection) {
    states.remove(connection);
  }
}
