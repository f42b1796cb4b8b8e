package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import dev.waymark.protocol.ResumeState;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Checks that every pending state ends in time: waiting for an owner, for probation, for a leader,
 * or for the rest of a commit.
 */
public final class PendingStates implements Watcher {
  private static final String RULE = "pending states";

  /** Allows for deadlines that fire in ticks of 100 ms. */
  private static final long LATE_NS_MAX = 300_000_000L;

  /** How often the states are sampled. */
  private static final long SAMPLE_NS = 25_000_000L;

  /** A connection that lost its owner waits at least this long for another. */
  private static final long MOVE_WAIT_NS_MIN = 5_000_000_000L;

  /** A suspect waits for probation at most this long. */
  private static final long PROBATION_WAIT_NS_MAX = 30_000_000_000L;

  private enum Pending {
    NO,
    OWNER,
    PROBATION,
    LEADER,
    COMMIT
  }

  private static final class State {
    long received;
    Pending pending = Pending.NO;
    long sinceNs;
    boolean hasChanged;
  }

  private final Ledger ledger;
  private final Rule6Owners owners;
  private final Rule3Replay replay;
  private final long noUpstreamWaitNs;
  private final long commitTimeoutNs;
  private final Map<Long, State> states = new HashMap<>();
  private long nowNs;
  private long sampledNs;

  public PendingStates(
      Ledger ledger,
      Rule6Owners owners,
      Rule3Replay replay,
      long noUpstreamWaitNs,
      long commitTimeoutNs) {
    this.ledger = ledger;
    this.owners = owners;
    this.replay = replay;
    this.noUpstreamWaitNs = noUpstreamWaitNs;
    this.commitTimeoutNs = commitTimeoutNs;
  }

  @Override
  public void onTime(long now) {
    nowNs = now;
  }

  @Override
  public void onAccepted(long connection) {
    states.put(connection, new State());
  }

  @Override
  public void onClientBytes(long connection, int bytes, boolean isLast) {
    states.get(connection).received += bytes;
  }

  @Override
  public void onView(int shard, int upstream, boolean isServing) {
    if (isServing) {
      states.values().forEach(state -> state.hasChanged = true);
    }
  }

  @Override
  public void onOpen(int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {
    states.get(connection).hasChanged = true;
  }

  @Override
  public void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {
    states.get(connection).hasChanged = true;
  }

  @Override
  public void onCommit(Commit commit) {
    states.get(commit.connection()).hasChanged = true;
  }

  @Override
  public void onLeft(long connection, Leaving how) {
    states.get(connection).hasChanged = true;
  }

  @Override
  public void onSocketClosed(long connection) {
    states.remove(connection);
  }

  @Override
  public void onStepEnd(long heldBytes) {
    if (nowNs - sampledNs >= SAMPLE_NS) {
      sampledNs = nowNs;
      states.forEach(this::sample);
    }
  }

  private void sample(long connection, State state) {
    Pending pending = pending(connection, state);
    if (pending != state.pending || state.hasChanged) {
      state.pending = pending;
      state.hasChanged = false;
      state.sinceNs = nowNs;
    }
    long timeoutNs =
        switch (pending) {
          case COMMIT -> commitTimeoutNs;
          case OWNER -> Math.max(MOVE_WAIT_NS_MIN, noUpstreamWaitNs);
          // There may be no upstream both before and after the wait for probation.
          case PROBATION ->
              PROBATION_WAIT_NS_MAX + 2 * Math.max(MOVE_WAIT_NS_MIN, noUpstreamWaitNs);
          case LEADER, NO -> noUpstreamWaitNs;
        };
    require(
        pending == Pending.NO || nowNs - state.sinceNs <= timeoutNs + LATE_NS_MAX,
        RULE,
        "waits too long for " + pending,
        connection,
        nowNs - state.sinceNs);
  }

  private Pending pending(long connection, State state) {
    if (!ledger.isLive(connection)) {
      return Pending.NO;
    }
    int lane = ledger.lane(connection);
    if (lane == -1) {
      return replay.isSuspect(connection) ? Pending.PROBATION : Pending.OWNER;
    }
    if (ledger.isHolding(connection)) {
      return Pending.COMMIT;
    }
    boolean isWaiting = state.received > ledger.sent(connection);
    boolean isFree = !ledger.isReleasing(connection);
    return isWaiting && isFree && !owners.mayGetBytes(lane) ? Pending.LEADER : Pending.NO;
  }
}
