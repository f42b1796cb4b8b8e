package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Bounded memory (rule 10): held memory is counted exactly, apart from what is being freed. Over
 * the budget no client is read or accepted; far over it (125 %) reply queues are dropped in the
 * same turn; once nothing is held, accepting resumes.
 */
public final class Rule10Memory implements Watcher {
  private static final String RULE = "rule 10 (memory)";

  /** A shard notices in its next tick that other shards have freed memory. */
  private static final long LATE_NS_MAX = 300_000_000L;

  private static final class State {
    long received;
    long queued;
    boolean isOver;
    boolean isPaused;
    boolean isEndAsked;
  }

  private final Ledger ledger;
  private final Rule6Pushes pushes;
  private final long budgetBytes;
  private final int shards;
  private final Map<Long, State> states = new HashMap<>();
  private final Set<Integer> paused = new HashSet<>();
  private long nowNs;

  private boolean isFree;

  /** Since when nothing has been held; valid while {@link #isFree}. */
  private long freeNs;

  /**
   * @param shards how many shards share the budget
   */
  public Rule10Memory(Ledger ledger, Rule6Pushes pushes, long budgetBytes, int shards) {
    this.ledger = ledger;
    this.pushes = pushes;
    this.budgetBytes = budgetBytes;
    this.shards = shards;
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
  public void onLeft(long connection, Leaving how) {
    states.get(connection).isOver |= how == Leaving.ENDED;
  }

  @Override
  public void onSocketWrite(long connection, byte[] bytes) {
    states.get(connection).queued += bytes.length;
  }

  @Override
  public void onPushWritten(long connection, long id, int bytes) {
    states.get(connection).queued += bytes;
  }

  @Override
  public void onSocketTook(long connection, long bytes) {
    states.get(connection).queued -= bytes;
  }

  @Override
  public void onSocketEnded(long connection, boolean isReset) {
    State state = states.get(connection);
    if (state != null) {
      state.isEndAsked = true;
    }
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
  public void onAccepting(int shard, boolean isPaused) {
    if (isPaused) {
      paused.add(shard);
    } else {
      paused.remove(shard);
    }
  }

  @Override
  public void onTime(long now) {
    nowNs = now;
  }

  @Override
  public void onTurnEnd(int shard, long heldBytes) {
    long queued = 0;
    for (Map.Entry<Long, State> each : states.entrySet()) {
      State state = each.getValue();
      if (each.getKey() % shards == shard && !state.isEndAsked) {
        queued += state.queued;
        require(
            heldBytes <= budgetBytes || state.isOver || state.isPaused,
            RULE,
            "a client is read although the budget is exceeded",
            each.getKey(),
            heldBytes);
      }
    }
    require(
        heldBytes <= budgetBytes || paused.contains(shard),
        RULE,
        "clients are accepted although the budget is exceeded",
        heldBytes);
    long hardBytes = budgetBytes * 5 / 4;
    require(
        heldBytes <= hardBytes || queued <= hardBytes / shards,
        RULE,
        "reply queues are kept although the budget is far exceeded",
        heldBytes,
        queued);
  }

  @Override
  public void onStepEnd(long heldBytes) {
    long sum = pushes.waitingBytes();
    for (Map.Entry<Long, State> each : states.entrySet()) {
      State state = each.getValue();
      long connection = each.getKey();
      if (state.isEndAsked) {
        continue;
      }
      sum += state.queued;
      if (!state.isOver) {
        boolean isForgetting = ledger.isForgetting(connection);
        long from = isForgetting ? ledger.sent(connection) : ledger.consumed(connection);
        sum += state.received - from + ledger.heldBytes(connection);
      }
    }
    require(
        sum <= heldBytes && heldBytes <= sum + pushes.maybeWaitingBytes(),
        RULE,
        "held bytes are miscounted",
        heldBytes,
        sum);
    isFree = isFree && heldBytes == 0;
    if (!isFree) {
      isFree = heldBytes == 0;
      freeNs = nowNs;
    }
    require(
        paused.isEmpty() || !isFree || nowNs - freeNs <= (shards == 1 ? 0 : LATE_NS_MAX),
        RULE,
        "accepting stays paused although nothing is held",
        heldBytes);
  }

  /** Checks, after everything has closed, that nothing is held. */
  public void checkNothingHeld(long heldBytes) {
    require(
        heldBytes == 0 && states.isEmpty(),
        RULE,
        "memory is still held after everything closed",
        heldBytes,
        states.size());
  }
}
