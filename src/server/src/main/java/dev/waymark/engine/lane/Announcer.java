package dev.waymark.engine.lane;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ConnectionInfo;
import dev.waymark.protocol.CloseReason;
import java.util.ArrayDeque;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Announces to one lane which connections are open, and then all changes (rule 6). Confined to its
 * shard's thread.
 *
 * <p>Changes go out before the rest of the initial state, so they wait only while the lane is full.
 * If too many wait, all are dropped and everything is announced again.
 */
final class Announcer {
  /** At most this many frames are sent in a turn, so that others get their share. */
  static final int TURN_COUNT_MAX = 1_000;

  /** At most this many changes wait while the lane is full. */
  static final int WAITING_MAX = 10_000;

  private static final long[] NONE = {};

  /**
   * @param reason null if the connection was opened
   */
  private record Change(ConnectionInfo connection, @Nullable CloseReason reason) {}

  private final Lane lane;
  private final LaneSender sender;
  private final LongFunction<@Nullable Connection> connections;
  private final Supplier<long[]> sequences;
  private final ArrayDeque<Change> changes = new ArrayDeque<>();
  private boolean isSyncDue = true;
  private boolean isSyncing;
  private long[] present = NONE;
  private int presentIndex;

  /**
   * @param connections finds the open connection with a sequence, or null
   * @param sequences the sequences of all open connections
   */
  Announcer(Lane lane, LongFunction<@Nullable Connection> connections, Supplier<long[]> sequences) {
    this.lane = lane;
    this.sender = lane.sender();
    this.connections = connections;
    this.sequences = sequences;
  }

  // --- inputs ---

  void onOpened(Connection connection) {
    change(connection, null);
  }

  void onClosed(Connection connection, CloseReason reason) {
    change(connection, reason);
  }

  private void change(Connection connection, @Nullable CloseReason reason) {
    if (isSyncDue || !isVisible(connection)) {
      return;
    }
    if (changes.size() < WAITING_MAX) {
      changes.add(new Change(connection.info(), reason));
    } else {
      changes.clear();
      present = NONE;
      isSyncDue = true;
      sender.counters().add(Counter.ANNOUNCEMENT_RESYNCS, 1);
    }
  }

  // --- outputs ---

  Lane lane() {
    return lane;
  }

  boolean hasMore() {
    return sender.isWritable() && (isSyncDue || isSyncing || !changes.isEmpty());
  }

  /** Sends a turn's share. */
  void send() {
    for (int count = 0; count < TURN_COUNT_MAX && hasMore(); count++) {
      if (isSyncDue) {
        startSync();
      } else if (changes.isEmpty()) {
        syncNext();
      } else {
        announce(changes.remove());
      }
      sender.sent();
    }
  }

  private void startSync() {
    isSyncDue = false;
    isSyncing = true;
    present = sequences.get();
    presentIndex = 0;
    sender.transport().syncing();
  }

  private void syncNext() {
    while (presentIndex < present.length) {
      Connection connection = connections.apply(present[presentIndex++]);
      if (connection != null && isVisible(connection)) {
        announce(new Change(connection.info(), null));
        return;
      }
    }
    isSyncing = false;
    present = NONE;
    sender.transport().synced();
  }

  private void announce(Change change) {
    ConnectionInfo connection = change.connection;
    long sequence = connection.mark().sequence();
    if (change.reason == null) {
      sender
          .transport()
          .opened(
              sequence,
              connection.mark().toString(),
              connection.listener().name(),
              connection.clientAddress());
    } else {
      sender.transport().closed(sequence, change.reason);
    }
    sender.counters().add(Counter.ANNOUNCEMENTS_SENT, 1);
  }

  private boolean isVisible(Connection connection) {
    return connection.info().listener().isOpenTo(lane.poolName());
  }
}
