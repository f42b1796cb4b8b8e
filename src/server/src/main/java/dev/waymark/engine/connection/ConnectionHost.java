package dev.waymark.engine.connection;

import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.DeadlineWheel;
import dev.waymark.engine.base.Limits;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.Evidence.Loss;

/**
 * What a connection needs from above: its shard's clock, memory account and deadlines, its pool's
 * placement, its listener's counters. Called on the shard's thread only. One instance may serve all
 * connections of a listener.
 */
public interface ConnectionHost {
  Limits limits();

  /** The options of the connection's pool; a reload may change them. */
  PoolOptions pool();

  /** The counters of the listener that accepted the connection. */
  Counters counters();

  /**
   * The loop's time plus all standstills of the loop: what a clock on the wall would have measured.
   * Clients feel the bridge's own standstills too.
   */
  long elapsedNs(long nowNs);

  DeadlineWheel wheel();

  // --- memory (rule 10) ---

  /** Whether the process is over its memory budget. */
  boolean isOverBudget();

  /** The connection holds this many more bytes. */
  void hold(long bytes);

  // --- work at the end of the turn, or soon ---

  /** Asks for {@link Connection#flush} at the end of this turn. */
  void flushAtTurnEnd(Connection connection);

  /** Asks for {@link Connection#sendOwedCredit} after {@link Limits#creditDelayNs}. */
  void oweCredit(long nowNs, Connection connection);

  // --- placement ---

  /** The connection needs an owner, and gets one at the end of a turn. */
  void offer(Connection connection);

  /** The connection no longer needs an owner. */
  void withdraw(Connection connection);

  /** Until when a connection waits for an owner unless something happens. */
  long waitEndNs(long nowNs);

  // --- who is to blame for a loss (rule 3) ---

  /** The circumstances in which this connection has just lost this owner. */
  Loss lossOf(Connection connection, Owner owner, boolean isFenced);

  /**
   * The owner made progress with bytes of a connection that was under suspicion.
   *
   * @param hadLostAlone it had lost an owner in isolation, which then died of something else
   */
  void onCleared(Connection connection, Owner owner, boolean hadLostAlone);

  // --- events ---

  /** The connection was detached from its owner by force. */
  void onForcedDetach(ForcedDetach detach);

  /** The socket is closed: the last call of the connection. */
  void onClosed(Connection connection, ConnectionSummary summary, long endedUnixMs);
}
