package dev.waymark.core;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Connections whose next loss would be the last that is borne (rule 3). Any of them may carry the
 * request that kills its owners, so no two of them are with one owner before they are answered: the
 * guilty one takes none of the others along. Confined to its shard's thread.
 */
final class LastChances {
  /** More than these do not wait. */
  static final int WAITING_MAX = 32;

  /** None waits longer. */
  static final long WAIT_NS_MAX = 3_000_000_000L;

  /** An owner that has not answered by then does not die of it at once. */
  static final long TRIAL_NS = 1_000_000_000L;

  private record Trial(Connection connection, long endNs) {
    boolean isOver(long nowNs, Lane lane) {
      return connection.lane() != lane
          || !connection.ownership().isOnLastChance()
          || endNs - nowNs <= 0;
    }
  }

  /** Since when. */
  private final LinkedHashMap<Connection, Long> waiting = new LinkedHashMap<>();

  private final Map<Lane, Trial> trials = new HashMap<>();

  // --- inputs ---

  /**
   * Every lane that might take it has another to answer.
   *
   * @return false: it is not to wait, or no longer; else {@link #first} offers it
   */
  boolean await(long nowNs, Connection connection) {
    Long sinceNs = waiting.get(connection);
    if (sinceNs == null && waiting.size() < WAITING_MAX) {
      waiting.put(connection, nowNs);
      return true;
    }
    return sinceNs != null && nowNs - sinceNs < WAIT_NS_MAX;
  }

  /** It is given to this lane. */
  void begin(long nowNs, Connection connection, Lane lane) {
    forget(connection);
    forgetOver(nowNs);
    trials.put(lane, new Trial(connection, nowNs + TRIAL_NS));
  }

  /** It is no longer to be given an owner. */
  void forget(Connection connection) {
    waiting.remove(connection);
  }

  /** Keeps nothing of what is over. */
  void forgetOver(long nowNs) {
    trials.entrySet().removeIf(trial -> trial.getValue().isOver(nowNs, trial.getKey()));
  }

  // --- outputs ---

  /** Whether this lane may be given one more. */
  boolean isFree(long nowNs, Lane lane) {
    Trial trial = trials.get(lane);
    return trial == null || trial.isOver(nowNs, lane);
  }

  /** It waits for a lane of its own. */
  boolean isWaiting(Connection connection) {
    return waiting.containsKey(connection);
  }

  void forEachWaiting(Consumer<Connection> action) {
    waiting.keySet().forEach(action);
  }

  /** Who has waited longest; null: nobody waits. */
  @Nullable Connection first() {
    return waiting.isEmpty() ? null : waiting.firstEntry().getKey();
  }
}
