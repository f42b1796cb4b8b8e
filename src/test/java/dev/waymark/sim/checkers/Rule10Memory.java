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
 * Bounded memory: what is held is counted exactly; over the budget nobody is read, far over it
 * reply queues go.
 */
public final class Rule10Memory implements Watcher {
  private static final String RULE = "rule 10 (memory)";

  private static final class State {
    long received;
    long sent;
    long consumed;
    long heldConsumed = -1;
    long held;
    long queued;
    long heldClose;
    boolean isAttached;
    boolean isUpstreamEnded;
    boolean isFinished;
    boolean isHeldEnd;
    boolean isOver;
    boolean isPaused;
    boolean isEndAsked;
    int lane = -1;
    int epoch;

    /** Its lane broke: another owner will have what was not consumed. */
    void lost(boolean isPlain) {
      lane = -1;
      held = 0;
      heldConsumed = -1;
      sent = consumed;
      if (isPlain) {
        over();
      }
    }

    void over() {
      isOver = true;
      consumed = received;
      held = 0;
    }
  }

  private final long budgetBytes;
  private final Map<Long, State> states = new HashMap<>();
  private final Set<Integer> plainLanes = new HashSet<>();
  private boolean isAcceptingPaused;

  public Rule10Memory(long budgetBytes) {
    this.budgetBytes = budgetBytes;
  }

  @Override
  public void onAccepted(long connection) {
    states.put(connection, new State());
  }

  @Override
  public void onClientBytes(long connection, int bytes, boolean isLast) {
    State state = states.get(connection);
    state.received += bytes;
    state.consumed += state.isOver ? bytes : 0;
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable Reopen left) {
    State state = states.get(connection);
    state.isAttached = true;
    state.lane = lane;
    state.epoch = epoch;
    state.heldClose = 0;
    state.isHeldEnd = false;
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    State state = states.get(connection);
    state.sent = offset + bytes.length;
    if (plainLanes.contains(lane)) {
      state.consumed = Math.max(state.consumed, state.sent);
    }
  }

  @Override
  public void onUpstreamFrame(int lane, UpstreamEvent frame) {
    State state = states.get(frame.connection());
    if (state == null || state.isOver || state.lane != lane || state.epoch != frame.epoch()) {
      return;
    }
    state.heldConsumed = Math.max(state.heldConsumed, frame.consumed());
    state.held += frame.bytes();
    state.isHeldEnd |= frame.halfClose();
    state.heldClose = frame.close() == 0 ? state.heldClose : frame.close();
    if (!frame.more()) {
      state.isUpstreamEnded |= state.isHeldEnd;
      long close = state.heldClose;
      state.held = 0;
      state.consumed = Math.max(state.consumed, Math.min(state.sent, state.heldConsumed));
      state.heldConsumed = -1;
      if (frame.isReleased()) {
        state.lost(false);
      } else if (close != 0) {
        boolean isRefusal = CloseReason.ofWireCode((int) close).isRefusal();
        if (isRefusal && !plainLanes.contains(lane)) {
          state.lost(false);
        } else {
          state.over();
        }
      }
    }
  }

  @Override
  public void onPlain(int lane) {
    plainLanes.add(lane);
    states.values().stream()
        .filter(state -> state.lane == lane && !state.isOver)
        .forEach(state -> state.consumed = Math.max(state.consumed, state.sent));
  }

  @Override
  public void onSocketWrite(long connection, byte[] bytes) {
    states.get(connection).queued += bytes.length;
  }

  @Override
  public void onSocketTook(long connection, long bytes) {
    states.get(connection).queued -= bytes;
  }

  @Override
  public void onSocketFinish(long connection) {
    State state = states.get(connection);
    // The first FIN may be the upstream's half-close.
    if (!state.isUpstreamEnded || state.isFinished) {
      state.over();
    }
    state.isFinished = true;
  }

  @Override
  public void onSocketEnded(long connection, boolean isReset) {
    State state = states.get(connection);
    if (state != null) {
      state.isEndAsked = true;
      state.over();
    }
  }

  @Override
  public void onClose(int lane, long connection, int epoch, String reason) {
    State state = states.get(connection);
    if (state != null && reason.equals(CloseReason.FENCED.name())) {
      state.lost(false);
    } else if (state != null) {
      state.over();
    }
  }

  @Override
  public void onLaneEnd(int lane) {
    states.values().stream()
        .filter(state -> state.lane == lane)
        .forEach(state -> state.lost(plainLanes.contains(lane)));
  }

  @Override
  public void onSocketClosed(long connection) {
    states.remove(connection);
  }

  @Override
  public void onReading(long connection, boolean isPaused) {
    State state = states.get(connection);
    if (state != null) {
      state.isPaused = isPaused;
    }
  }

  @Override
  public void onAccepting(boolean isPaused) {
    isAcceptingPaused = isPaused;
  }

  @Override
  public void onStepEnd(long heldBytes) {
    long sum = 0;
    boolean isAnyQueued = false;
    boolean isAnyEnding = false;
    for (State state : states.values()) {
      sum += state.received - state.consumed + state.held + state.queued;
      isAnyQueued |= state.queued > 0;
      isAnyEnding |= state.isEndAsked;
    }
    require(sum == heldBytes, RULE, "held bytes are miscounted", heldBytes, sum);
    if (heldBytes > budgetBytes) {
      require(isAcceptingPaused, RULE, "clients are accepted over the budget", heldBytes);
      for (Map.Entry<Long, State> each : states.entrySet()) {
        State state = each.getValue();
        require(
            state.isOver || state.isPaused,
            RULE,
            "a client is read over the budget",
            each.getKey(),
            heldBytes);
      }
    }
    boolean isFarOver = heldBytes > budgetBytes * 5 / 4;
    require(
        !isFarOver || !isAnyQueued || isAnyEnding,
        RULE,
        "nothing is shed far over the budget",
        heldBytes,
        budgetBytes);
    require(heldBytes > 0 || !isAcceptingPaused, RULE, "accepting stays paused", heldBytes);
  }

  /** Everything is closed. */
  public void checkNothingHeld(long heldBytes) {
    require(
        heldBytes == 0 && states.isEmpty(),
        RULE,
        "something is held for nobody",
        heldBytes,
        states.size());
  }
}
