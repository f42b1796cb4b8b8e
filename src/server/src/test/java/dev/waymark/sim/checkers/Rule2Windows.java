package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.protocol.ResumeState;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Windows and limits (rule 2): the bridge respects the window, limits never decrease, and an
 * upstream that exceeds its limit loses the connection.
 */
public final class Rule2Windows implements Watcher {
  private static final String RULE = "rule 2 (windows)";

  /** The state of one attachment. */
  private static final class State {
    int lane;
    int epoch;
    long limit;
    long received;
    boolean isViolation;
  }

  private final Ledger ledger;
  private final int windowBytes;
  private final int initialWindowBytes;
  private final Map<Long, State> states = new HashMap<>();
  private final Map<Integer, Integer> windows = new HashMap<>();

  public Rule2Windows(Ledger ledger, int windowBytes, int initialWindowBytes) {
    this.ledger = ledger;
    this.windowBytes = windowBytes;
    this.initialWindowBytes = initialWindowBytes;
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {
    State state = new State();
    state.lane = lane;
    state.epoch = epoch;
    state.limit = limit;
    state.received = left == null ? 0 : left.committed();
    states.put(connection, state);
  }

  @Override
  public void onSettings(int lane, int asked) {
    windows.put(lane, asked == 0 ? windowBytes : Math.min(asked, windowBytes));
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    if (!ledger.isAtMostOnce(lane)) {
      int window = windows.getOrDefault(lane, initialWindowBytes);
      long unconsumed = ledger.sent(connection) + bytes.length - ledger.consumed(connection);
      require(
          unconsumed <= window || bytes.length == 0,
          RULE,
          "more unconsumed bytes than the window",
          connection,
          unconsumed,
          window);
    }
  }

  @Override
  public void onLimit(int lane, long connection, int epoch, long limit) {
    State state = states.get(connection);
    if (state != null) {
      require(limit >= state.limit, RULE, "a limit decreased", connection, limit, state.limit);
      state.limit = limit;
    }
  }

  /**
   * Checks, when everything is quiet, that the owner has all available credit.
   *
   * @param takenBytes reply bytes that the client's socket took
   */
  public void checkCredit(long connection, long takenBytes, int grantBytes) {
    State state = states.get(connection);
    if (state != null
        && ledger.isAcknowledging(state.lane)
        && !ledger.hasEndedReplies(connection)) {
      require(
          state.limit >= takenBytes + grantBytes,
          RULE,
          "credit is withheld",
          connection,
          state.limit,
          takenBytes);
    }
  }

  @Override
  public void onUpstreamFrame(int lane, UpstreamEvent frame) {
    State state = states.get(frame.connection());
    if (state == null || state.lane != lane || frame.epoch() < state.epoch) {
      return;
    }
    state.received += frame.bytes();
    state.isViolation |=
        frame.epoch() != state.epoch
            || frame.consumed() > ledger.sent(frame.connection())
            || (ledger.isAcknowledging(lane) && frame.bytes() > 0 && state.received > state.limit);
  }

  @Override
  public void onClose(int lane, long connection, int epoch, String reason) {
    State state = states.get(connection);
    boolean isBlamed = reason.equals("FLOW_CONTROL") && ledger.isAcknowledging(lane);
    require(
        !isBlamed || (state != null && state.isViolation),
        RULE,
        "FLOW_CONTROL without a violation",
        connection);
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    states.remove(connection);
  }

  @Override
  public void onStepEnd(long heldBytes) {
    states.forEach((connection, state) ->
        require(!state.isViolation, RULE, "a violation did not end its connection", connection));
  }
}
