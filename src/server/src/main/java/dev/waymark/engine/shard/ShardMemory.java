package dev.waymark.engine.shard;

import dev.waymark.engine.connection.Connection;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Counts the memory that the connections of one shard hold, and acts when the process holds too
 * much (rule 10). Confined to its shard's thread.
 *
 * <p><b>The problem.</b> Windows promise far more memory than there is: a million connections times
 * two windows. Promises are cheap as long as few are used at a time, but a fleet of slow clients,
 * or an upstream that hangs, can call in many at once.
 *
 * <p><b>The idea.</b> All shards share one {@link MemoryBudget}. Over the budget no client is read
 * and none is accepted: this stops what clients send. Nothing pauses replies, so connections have
 * to be closed: far over the budget those with the longest reply queues at once; over it for too
 * long the largest ones in steps, because clients that read nothing, or stop in the middle of a
 * message, would stall all others forever.
 *
 * <p><b>Why it is correct.</b> No more connections are closed than necessary: what is being freed
 * counts as free at once, each shard frees only what it holds beyond its share, and all of them
 * together only the excess. What a connection holds is counted once per input, by difference, and
 * the invariants compare the sum with a count of all connections.
 *
 * <p><b>The cost.</b> One addition for each input, and one atomic addition per turn and shard.
 */
final class ShardMemory {
  /** Clients have this long to read between two steps. */
  static final long STEP_NS = 100_000_000L;

  /** A step frees this part of the excess, and at least one connection. */
  private static final int STEP_DIVISOR = 4;

  private record Holder(Connection connection, long bytes) {}

  private final ShardEnvironment environment;
  private final ShardEvents events;
  private final int shardCount;
  private final ConnectionTable connections;
  private final MemoryBudget budget;
  private long heldBytes;
  private long reportedBytes;
  private boolean isOverBudget;
  private boolean isPausing;
  private long nextStepNs;

  /**
   * @param shardCount how many shards share the budget
   * @param connections the connections of the shard; a live view
   */
  ShardMemory(
      ShardEnvironment environment,
      ShardEvents events,
      int shardCount,
      ConnectionTable connections,
      MemoryBudget budget) {
    this.environment = environment;
    this.events = events;
    this.shardCount = shardCount;
    this.connections = connections;
    this.budget = budget;
  }

  // --- inputs ---

  /** The shard holds this many more bytes; the budget learns of it when the turn ends. */
  void hold(long bytes) {
    heldBytes += bytes;
  }

  /**
   * A turn has ended, or time has passed: reports, pauses or resumes, and closes connections if
   * there is no other way.
   */
  void check(long nowNs) {
    check(nowNs, true);
  }

  /**
   * Another shard holds no more than its share, and asks all others to free memory. This one does
   * what it can and asks nobody: if no shard had replies to drop, they would ask each other
   * forever.
   */
  void onAsked(long nowNs) {
    check(nowNs, false);
  }

  private void check(long nowNs, boolean mayAsk) {
    report();
    isOverBudget |= budget.isOver();
    if (isOverBudget && !isPausing) {
      pause(nowNs);
    } else if (isOverBudget && budget.hasRecovered()) {
      resume();
    }
    if (budget.isFarOver()) {
      shedReplies(nowNs);
      if (mayAsk && budget.isFarOver()) {
        environment.askOthersToFree();
      }
    }
    if (isOverBudget && nextStepNs - nowNs <= 0) {
      nextStepNs = nowNs + STEP_NS;
      shedStep(nowNs);
    }
    report();
  }

  // --- outputs ---

  /** As of the last turn, or as of now if much more has been held since. */
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
    Check.that(heldBytes == held[0], "held bytes equal the sum over all connections");
  }

  // --- transitions ---

  private void pause(long nowNs) {
    isPausing = true;
    nextStepNs = nowNs + MemoryBudget.OVER_NS_MAX;
    events.onOverBudget(budget.usedBytes(), budget.limitBytes());
    environment.pauseAccepting();
    connections.forEach(connection -> connection.updateReading());
  }

  private void resume() {
    isOverBudget = false;
    isPausing = false;
    events.onUnderBudget(budget.usedBytes(), budget.limitBytes());
    environment.resumeAccepting();
    connections.forEach(connection -> connection.updateReading());
  }

  private void report() {
    if (heldBytes != reportedBytes) {
      budget.add(heldBytes - reportedBytes);
      reportedBytes = heldBytes;
    }
  }

  /**
   * Closes the connections with the longest reply queues, because no pause of reading stops
   * replies. Client bytes count only up to the budget: a burst of them must not cost clients with a
   * reply under way their sockets.
   */
  private void shedReplies(long nowNs) {
    long[] replyBytes = new long[1];
    connections.forEach(connection -> replyBytes[0] += connection.heldReplyBytes());
    long clientBytes = Math.min(heldBytes - replyBytes[0], share(budget.limitBytes()));
    long excessBytes = replyBytes[0] + clientBytes - share(budget.hardBytes());
    if (excessBytes >= 0) {
      shed(nowNs, Connection::heldReplyBytes, budget.hardBytes(), excessBytes);
    }
  }

  /** Frees a part of the excess, but no more than a part of what exceeds this shard's share. */
  private void shedStep(long nowNs) {
    long ownExcessBytes = heldBytes - share(budget.resumeBytes());
    long excessBytes = Math.min(ownExcessBytes, budget.usedBytes() - budget.resumeBytes());
    if (excessBytes >= 0) {
      shed(nowNs, Connection::heldBytes, budget.resumeBytes(), excessBytes / STEP_DIVISOR);
    }
  }

  /** This shard's share: if all shards together hold the total, at least one holds its share. */
  private long share(long bytes) {
    return bytes / shardCount;
  }

  /** Closes the largest first, until more than this is freed or the process is under the mark. */
  private void shed(long nowNs, ToLongFunction<Connection> size, long markBytes, long bytes) {
    long leftBytes = bytes;
    for (Holder holder : largestFirst(size)) {
      long freedBytes = holder.connection.heldBytes();
      if (leftBytes < 0 || !budget.free(freedBytes, markBytes)) {
        return;
      }
      reportedBytes -= freedBytes;
      leftBytes -= Math.max(1, freedBytes);
      holder.connection.endByBridge(nowNs, CloseReason.OVERLOAD, Origin.BRIDGE);
      holder.connection.abandon();
    }
  }

  private List<Holder> largestFirst(ToLongFunction<Connection> size) {
    List<Holder> holders = new ArrayList<>();
    connections.forEach(connection -> {
      long bytes = size.applyAsLong(connection);
      if (bytes > 0) {
        holders.add(new Holder(connection, bytes));
      }
    });
    holders.sort(Comparator.comparingLong(Holder::bytes).reversed());
    return holders;
  }
}
