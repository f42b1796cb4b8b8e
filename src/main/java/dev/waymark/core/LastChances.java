package dev.waymark.core;

import java.util.LinkedHashSet;
import org.jspecify.annotations.Nullable;

/**
 * Connections whose next loss would be the last that is borne (rule 3). Any of them may carry the
 * request that kills its owners, so they are given an owner one after the other: the guilty one
 * takes none of the others along. Confined to its shard's thread.
 */
final class LastChances {
  /** More than these do not wait for one another. */
  static final int WAITING_MAX = 32;

  /** An owner that has not answered by then does not die of it at once. */
  static final long TURN_NS = 100_000_000L;

  private final LinkedHashSet<Connection> waiting = new LinkedHashSet<>();
  private @Nullable Connection first;
  private long turnEndNs;

  // --- inputs ---

  /** Whether it has to wait; {@link #next} gives it back. If not, it is its turn. */
  boolean isToWait(long nowNs, Connection connection) {
    if (!connection.ownership().isOnLastChance()) {
      return false;
    }
    if (!isTurnOver(nowNs) && waiting.size() < WAITING_MAX) {
      waiting.add(connection);
      return true;
    }
    first = connection;
    turnEndNs = nowNs + TURN_NS;
    return false;
  }

  /** It is no longer to be given an owner. */
  void forget(Connection connection) {
    waiting.remove(connection);
  }

  // --- outputs ---

  /** Whose turn it is now; null: nobody's. */
  @Nullable Connection next(long nowNs) {
    return isTurnOver(nowNs) && !waiting.isEmpty() ? waiting.removeFirst() : null;
  }

  boolean isAnyWaiting() {
    return !waiting.isEmpty();
  }

  private boolean isTurnOver(long nowNs) {
    return first == null
        || first.lane() == null
        || !first.ownership().isOnLastChance()
        || turnEndNs - nowNs <= 0;
  }
}
