package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.ResumeState;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Checks that a standstill of the bridge counts against nobody: a lane or client times out only
 * after the bridge was running for the whole timeout.
 */
public final class Standstills implements Watcher {
  private static final String RULE = "standstills";

  private static final class State {
    long idleTimeoutNs;
    long acceptedNs;
    long activeNs;
    long ownerlessSinceNs;
    boolean hasOwner;
    boolean hasSent;
    long endedNs;
    boolean hasEnded;
  }

  private final long laneTimeoutNs;
  private final long noUpstreamWaitNs;
  private final long idleTimeoutNs;
  private final long firstByteTimeoutNs;
  private final int shards;

  /** By shard, once reloaded. */
  private final Map<Integer, Long> idleTimeouts = new HashMap<>();

  private final Map<Integer, Long> connectedNs = new HashMap<>();
  private final Map<Integer, Long> heardNs = new HashMap<>();
  private final Map<Long, State> states = new HashMap<>();
  private long nowNs;

  public Standstills(
      long laneTimeoutNs,
      long noUpstreamWaitNs,
      long idleTimeoutNs,
      long firstByteTimeoutNs,
      int shards) {
    this.firstByteTimeoutNs = firstByteTimeoutNs;
    this.shards = shards;
    this.laneTimeoutNs = laneTimeoutNs;
    this.noUpstreamWaitNs = noUpstreamWaitNs;
    this.idleTimeoutNs = idleTimeoutNs;
  }

  @Override
  public void onTime(long awakeNs) {
    nowNs = awakeNs;
  }

  // --- lanes ---

  @Override
  public void onConnect(int lane, int shard, int upstream) {
    connectedNs.put(lane, nowNs);
    heardNs.put(lane, nowNs);
  }

  @Override
  public void onHeard(int lane) {
    heardNs.put(lane, nowNs);
  }

  @Override
  public void onLaneTimedOut(int lane, boolean isSilence) {
    long waitNs = nowNs - (isSilence ? heardNs : connectedNs).get(lane);
    require(waitNs >= laneTimeoutNs, RULE, "a lane timed out too early", lane, waitNs);
  }

  // --- clients ---

  @Override
  public void onReload(int shard, long nowIdleTimeoutNs, Ages.Limit age) {
    idleTimeouts.put(shard, nowIdleTimeoutNs);
  }

  @Override
  public void onAccepted(long connection) {
    State state = new State();
    state.idleTimeoutNs = idleTimeouts.getOrDefault((int) (connection % shards), idleTimeoutNs);
    state.acceptedNs = nowNs;
    state.activeNs = nowNs;
    state.ownerlessSinceNs = nowNs;
    states.put(connection, state);
  }

  @Override
  public void onClientBytes(long connection, int bytes, boolean isLast) {
    State state = states.get(connection);
    state.hasSent |= !state.hasEnded;
    active(connection);
  }

  @Override
  public void onClientEnd(long connection) {
    active(connection);
  }

  @Override
  public void onSocketTook(long connection, long bytes) {
    active(connection);
  }

  @Override
  public void onCommit(Commit commit) {
    active(commit.connection());
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {
    states.get(connection).hasOwner = true;
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    State state = states.get(connection);
    if (state != null && how == Leaving.ENDED) {
      state.hasEnded = true;
      state.endedNs = nowNs;
    } else if (state != null) {
      state.hasOwner = false;
      state.ownerlessSinceNs = nowNs;
    }
  }

  @Override
  public void onSocketClosed(long connection) {
    states.remove(connection);
  }

  /** Checks the end that the bridge has reported; called before {@link #onSocketClosed}. */
  public void checkEnd(long connection, ConnectionSummary summary) {
    if (summary.endedBy() != CloseReason.Origin.BRIDGE) {
      // An upstream may send any reason.
      return;
    }
    State state = states.get(connection);
    if (summary.reason() == CloseReason.IDLE_TIMEOUT) {
      require(
          state.endedNs - state.activeNs >= state.idleTimeoutNs,
          RULE,
          "closed as idle too early",
          connection,
          state.endedNs - state.activeNs);
    }
    if (summary.reason() == CloseReason.FIRST_BYTE_TIMEOUT) {
      require(!state.hasSent, RULE, "closed for its first byte, which came", connection, nowNs);
      require(
          state.endedNs - state.acceptedNs >= firstByteTimeoutNs,
          RULE,
          "closed for its first byte too early",
          connection,
          state.endedNs - state.acceptedNs);
    }
    if (summary.reason() == CloseReason.NO_UPSTREAM && !state.hasOwner) {
      require(
          state.endedNs - state.ownerlessSinceNs >= noUpstreamWaitNs,
          RULE,
          "closed too early while waiting for an upstream",
          connection,
          state.endedNs - state.ownerlessSinceNs);
    }
  }

  private void active(long connection) {
    State state = states.get(connection);
    if (!state.hasEnded) {
      state.activeNs = nowNs;
    }
  }
}
