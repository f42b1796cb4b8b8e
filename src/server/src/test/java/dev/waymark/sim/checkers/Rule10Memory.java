package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Bounded memory: what is held is counted exactly, but for what is being freed; over the budget
 * nobody is read, far over it reply queues go at once, and none goes under it.
 */
public final class Rule10Memory implements Watcher {
  private static final String RULE = "rule 10 (memory)";

  /** A shard finds in its next tick that others have freed what was too much. */
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

  /** Nothing is held, since when. */
  private boolean isFree;

  private long freeNs;

  /**
   * @param shards that share the budget
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
            "a client is read over the budget",
            each.getKey(),
            heldBytes);
      }
    }
    require(
        heldBytes <= budgetBytes || paused.contains(shard),
        RULE,
        "clients are accepted over the budget",
        heldBytes);
    long hardBytes = budgetBytes * 5 / 4;
    require(
        heldBytes <= hardBytes || queued <= hardBytes / shards,
        RULE,
        "reply queues are kept far over the budget",
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
        sum += state.received - ledger.consumed(connection) + ledger.heldBytes(connection);
      }
    }
    require(
        sum <= heldBytes && heldBytes <= sum + pushes.elusiveBytes(),
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
        "accepting stays paused",
        heldBytes);
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
