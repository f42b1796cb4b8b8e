package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.protocol.ResumeState;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Clocks (rule 7): an owner that shows no sign of work is fenced in time, and no other owner is; a
 * handover ends in time.
 */
public final class Rule7Clocks implements Watcher {
  private static final String RULE = "rule 7 (clocks)";

  /** Allows for deadlines that fire in ticks of 100 ms. */
  private static final long LATE_NS_MAX = 250_000_000L;

  /** How often overdue connections are searched. */
  private static final long SAMPLE_NS = 25_000_000L;

  private static final class State {
    /** The last sign of work. */
    long signNs;

    long releasedNs;
  }

  private final Map<Long, SocketQueue> queues = new HashMap<>();
  private final Ledger ledger;
  private final long progressTimeoutNs;
  private final long releaseTimeoutNs;
  private final Map<Long, State> states = new HashMap<>();
  private long nowNs;
  private long sampledNs;

  /**
   * @param progressTimeoutNs 0 if nobody is fenced for lack of progress
   */
  public Rule7Clocks(Ledger ledger, long progressTimeoutNs, long releaseTimeoutNs) {
    this.ledger = ledger;
    this.progressTimeoutNs = progressTimeoutNs;
    this.releaseTimeoutNs = releaseTimeoutNs;
  }

  @Override
  public void onTime(long now) {
    nowNs = now;
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {
    State state = new State();
    state.signNs = nowNs;
    states.put(connection, state);
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    if (ledger.sent(connection) == ledger.consumed(connection)) {
      states.get(connection).signNs = nowNs;
    }
  }

  @Override
  public void onSettings(int lane, int windowBytes) {
    states.forEach((connection, state) -> {
      if (ledger.lane(connection) == lane) {
        state.signNs = nowNs;
      }
    });
  }

  @Override
  public void onSocketWrite(long connection, byte[] bytes) {
    queues.computeIfAbsent(connection, _ -> new SocketQueue()).add(bytes.length, true);
  }

  @Override
  public void onPushWritten(long connection, long id, int bytes) {
    queues.computeIfAbsent(connection, _ -> new SocketQueue()).add(bytes, false);
  }

  @Override
  public void onSocketTook(long connection, long bytes) {
    State state = states.get(connection);
    if (queues.get(connection).take(bytes) && state != null) {
      state.signNs = nowNs;
    }
  }

  @Override
  public void onSocketClosed(long connection) {
    queues.remove(connection);
  }

  @Override
  public void onRelease(int lane, long connection, int epoch) {
    states.get(connection).releasedNs = nowNs;
  }

  @Override
  public void onUpstreamFrame(int lane, UpstreamEvent frame) {
    if (ledger.isFromOwner(lane, frame)) {
      states.get(frame.connection()).signNs = nowNs;
    }
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    State state = states.remove(connection);
    if (how != Leaving.FENCED || state == null) {
      return;
    }
    int lane = ledger.lane(connection);
    if (ledger.isReleasing(connection)) {
      require(
          nowNs - state.releasedNs >= releaseTimeoutNs,
          RULE,
          "fenced before the release timeout",
          connection);
    } else if (ledger.isAcknowledging(lane)) {
      require(
          isWaiting(connection) && nowNs - state.signNs >= progressTimeoutNs,
          RULE,
          "fenced although it was working",
          connection,
          nowNs - state.signNs);
    }
  }

  @Override
  public void onStepEnd(long heldBytes) {
    if (nowNs - sampledNs >= SAMPLE_NS) {
      sampledNs = nowNs;
      states.forEach(this::checkInTime);
    }
  }

  private void checkInTime(long connection, State state) {
    if (ledger.isReleasing(connection)) {
      require(
          nowNs - state.releasedNs <= releaseTimeoutNs + LATE_NS_MAX,
          RULE,
          "a handover exceeds the release timeout",
          connection,
          nowNs - state.releasedNs);
    } else if (isWaiting(connection) && !isReplyQueued(connection)) {
      require(
          nowNs - state.signNs <= progressTimeoutNs + LATE_NS_MAX,
          RULE,
          "an owner without a sign of work keeps its connection",
          connection,
          nowNs - state.signNs);
    }
  }

  private boolean isReplyQueued(long connection) {
    SocketQueue queue = queues.get(connection);
    return queue != null && queue.hasReplies();
  }

  private boolean isWaiting(long connection) {
    return progressTimeoutNs > 0
        && ledger.isAcknowledging(ledger.lane(connection))
        && !ledger.isPinned(ledger.lane(connection))
        && ledger.sent(connection) > ledger.consumed(connection);
  }
}
