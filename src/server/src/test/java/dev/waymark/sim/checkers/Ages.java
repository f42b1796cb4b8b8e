package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import java.util.HashMap;
import java.util.Map;

/**
 * Checks the age limit of connections: none ends too early or too late, and during its grace time a
 * connection ends only at a quiet point, where nothing is lost. A drain brings the ends forward.
 */
public final class Ages implements Watcher {
  private static final String RULE = "ages";

  /** Deadlines fire in ticks of 100 ms, and most steps take up to 200 ms. */
  private static final long LATE_NS_MAX = 300_000_000L;

  /** How often connections that are too old are searched. */
  private static final long SAMPLE_NS = 25_000_000L;

  /** The grace time is at most this part of the drain timeout. */
  private static final int DRAIN_GRACE_DIVISOR = 4;

  private static final class State {
    final Limit limit;
    final long acceptedNs;
    long received;
    final SocketQueue queue = new SocketQueue();
    boolean isInReply;
    boolean hasEnded;
    long endedNs;
    boolean wasQuiet;

    State(Limit limit, long acceptedNs) {
      this.limit = limit;
      this.acceptedNs = acceptedNs;
    }
  }

  /**
   * The age limit of a listener.
   *
   * @param maxNs 0 if there is none
   */
  public record Limit(long maxNs, int jitterPercent, long graceNs) {
    private long firstNs() {
      return maxNs - maxNs * jitterPercent / 100 - 1_000;
    }
  }

  private final Ledger ledger;
  private final Map<Long, State> states = new HashMap<>();
  private final Limit limit;
  private final int shards;

  /** By shard, once reloaded. */
  private final Map<Integer, Limit> limits = new HashMap<>();

  private long nowNs;
  private long sampledNs;
  private boolean isDraining;
  private long drainNs;
  private long drainTimeoutNs;

  /**
   * @param limit applies to each shard until its first reload
   */
  public Ages(Ledger ledger, Limit limit, int shards) {
    this.ledger = ledger;
    this.shards = shards;
    this.limit = limit;
  }

  @Override
  public void onTime(long now) {
    nowNs = now;
  }

  @Override
  public void onDrain(long timeoutNs) {
    isDraining = true;
    drainNs = nowNs;
    drainTimeoutNs = timeoutNs;
  }

  @Override
  public void onReload(int shard, long idleTimeoutNs, Limit age) {
    limits.put(shard, age);
  }

  @Override
  public void onAccepted(long connection) {
    Limit own = limits.getOrDefault((int) (connection % shards), limit);
    states.put(connection, new State(own, nowNs));
  }

  @Override
  public void onClientBytes(long connection, int bytes, boolean isLast) {
    states.get(connection).received += bytes;
  }

  @Override
  public void onCommit(Commit commit) {
    State state = states.get(commit.connection());
    state.isInReply = !commit.isReplyEnd() && (state.isInReply || commit.bytes() > 0);
  }

  @Override
  public void onSocketWrite(long connection, byte[] bytes) {
    states.get(connection).queue.add(bytes.length, true);
  }

  @Override
  public void onPushWritten(long connection, long id, int bytes) {
    states.get(connection).queue.add(bytes, false);
  }

  @Override
  public void onSocketTook(long connection, long bytes) {
    states.get(connection).queue.take(bytes);
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    State state = states.get(connection);
    if (how == Leaving.ENDED && !state.hasEnded) {
      state.hasEnded = true;
      state.endedNs = nowNs;
      // The frame that makes a lane at-most-once may itself end the connection: the ledger learns
      // of the mode a moment too late.
      int lane = ledger.lane(connection);
      boolean isPlain = ledger.isAtMostOnce(lane) || ledger.isPinned(lane);
      state.wasQuiet =
          ledger.consumed(connection) == state.received
              && !state.queue.hasReplies()
              && (isPlain || (!state.isInReply && ledger.heldBytes(connection) == 0));
    } else if (ledger.isAtMostOnce(ledger.lane(connection))) {
      state.isInReply = false;
    }
  }

  /** Checks the end that the bridge has reported; called before {@link #onSocketClosed}. */
  public void checkEnd(long connection, ConnectionSummary summary) {
    State state = states.get(connection);
    if (summary.reason() != CloseReason.CONNECTION_AGE || summary.endedBy() != Origin.BRIDGE) {
      return;
    }
    require(state.limit.maxNs > 0, RULE, "ended by age without a limit", connection);
    long ageNs = state.endedNs - state.acceptedNs;
    boolean isDrained = isDraining && state.endedNs - drainNs >= 0;
    require(
        isDrained || ageNs >= state.limit.firstNs(), RULE, "ended too early", connection, ageNs);
    boolean isGraceOver =
        ageNs >= state.limit.firstNs() + state.limit.graceNs
            || (isDrained && state.endedNs - drainNs >= drainGraceNs(state));
    require(
        isGraceOver || state.wasQuiet,
        RULE,
        "ended in the middle of a message or reply",
        connection,
        ageNs);
  }

  private long drainGraceNs(State state) {
    return Math.min(state.limit.graceNs, drainTimeoutNs / DRAIN_GRACE_DIVISOR);
  }

  @Override
  public void onSocketClosed(long connection) {
    states.remove(connection);
  }

  @Override
  public void onStepEnd(long heldBytes) {
    if (nowNs - sampledNs >= SAMPLE_NS) {
      sampledNs = nowNs;
      states.forEach(this::checkAge);
    }
  }

  private void checkAge(long connection, State state) {
    if (state.limit.maxNs == 0 || !ledger.isLive(connection)) {
      return;
    }
    long ageNs = nowNs - state.acceptedNs;
    require(
        ageNs <= state.limit.maxNs + state.limit.graceNs + LATE_NS_MAX,
        RULE,
        "too old",
        connection,
        ageNs);
    require(
        !isDraining
            || drainNs - state.acceptedNs < 0
            || nowNs - drainNs <= drainTimeoutNs + LATE_NS_MAX,
        RULE,
        "still open after the drain",
        connection,
        nowNs - drainNs);
  }
}
