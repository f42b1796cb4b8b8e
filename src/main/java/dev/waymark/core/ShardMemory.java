package dev.waymark.core;

import dev.waymark.core.CloseReason.Origin;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What the connections of one shard hold in memory, and what happens when the process holds too
 * much (rule 10): over the budget nobody is read, far over it the longest reply queues go. Confined
 * to its shard's thread.
 */
final class ShardMemory {
  private final Shard shard;
  private final ConnectionTable connections;
  private final MemoryBudget budget;
  private long heldBytes;
  private long reportedBytes;
  private boolean isOverBudget;
  private boolean isPausing;
  private long overBudgetSinceNs;

  ShardMemory(Shard shard, ConnectionTable connections, MemoryBudget budget) {
    this.shard = shard;
    this.connections = connections;
    this.budget = budget;
  }

  // --- inputs ---

  /** The shard holds so many bytes more; the budget learns of it when the turn ends. */
  void hold(long bytes) {
    heldBytes += bytes;
  }

  /**
   * A turn ends, or time has passed. Over the budget for too long, connections go as well, whatever
   * they hold: clients that read nothing, or wait to be read in the middle of a message, would keep
   * everybody else waiting for ever.
   */
  void check(long nowNs) {
    report();
    isOverBudget |= budget.isOver();
    if (isOverBudget && !isPausing) {
      pause(nowNs);
    } else if (isOverBudget && budget.isUnderAgain()) {
      resume();
    }
    while (budget.isFarOver() && shedLargest(nowNs, Connection::heldReplyBytes)) {
      report();
    }
    if (isOverBudget
        && nowNs - overBudgetSinceNs >= MemoryBudget.OVER_NS_MAX
        && budget.isShareOver(heldBytes, shard.count())) {
      shedLargest(nowNs, Connection::heldBytes);
      report();
    }
  }

  // --- outputs ---

  /** As of the last turn, or of now if much more is held since. */
  boolean isOverBudget() {
    if (heldBytes - reportedBytes >= MemoryBudget.UNREPORTED_BYTES_MAX) {
      report();
      isOverBudget |= budget.isOver();
    }
    return isOverBudget;
  }

  void checkInvariants() {
    long[] held = new long[1];
    connections.forEach(connection -> held[0] += connection.heldBytes());
    Check.that(heldBytes == held[0], "held bytes are counted both ways");
  }

  // --- transitions ---

  private void pause(long nowNs) {
    isPausing = true;
    overBudgetSinceNs = nowNs;
    shard.events().onOverBudget(budget.usedBytes(), budget.budgetBytes());
    shard.environment().pauseAccepting();
    connections.forEach(connection -> connection.client().updateReading());
  }

  private void resume() {
    isOverBudget = false;
    isPausing = false;
    shard.events().onUnderBudget(budget.usedBytes(), budget.budgetBytes());
    shard.environment().resumeAccepting();
    connections.forEach(connection -> connection.client().updateReading());
  }

  private void report() {
    if (heldBytes != reportedBytes) {
      budget.add(heldBytes - reportedBytes);
      reportedBytes = heldBytes;
    }
  }

  /**
   * @return whether less is held by it
   */
  private boolean shedLargest(long nowNs, ToLongFunction<Connection> size) {
    Connection victim = largest(size);
    if (victim == null || size.applyAsLong(victim) == 0) {
      return false;
    }
    long before = heldBytes;
    victim.end().endByBridge(nowNs, CloseReason.OVERLOAD, Origin.BRIDGE);
    victim.end().abandon();
    return heldBytes < before;
  }

  private @Nullable Connection largest(ToLongFunction<Connection> size) {
    Connection[] largest = new Connection[1];
    connections.forEach(connection -> {
      if (largest[0] == null || size.applyAsLong(connection) > size.applyAsLong(largest[0])) {
        largest[0] = connection;
      }
    });
    return largest[0];
  }
}
