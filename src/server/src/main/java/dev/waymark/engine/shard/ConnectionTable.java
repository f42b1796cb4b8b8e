package dev.waymark.engine.shard;

import dev.waymark.engine.connection.Connection;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The connections of a shard by sequence: open addressing with linear probing, no boxing. Confined
 * to its shard's thread.
 */
final class ConnectionTable {
  private static final int CAPACITY_MIN = 64;

  private @Nullable Connection[] slots = new @Nullable Connection[CAPACITY_MIN];
  private int size;

  int size() {
    return size;
  }

  @Nullable Connection get(long sequence) {
    int mask = slots.length - 1;
    for (int i = home(sequence, mask); ; i = (i + 1) & mask) {
      Connection connection = slots[i];
      if (connection == null || connection.sequence() == sequence) {
        return connection;
      }
    }
  }

  void put(Connection connection) {
    if ((size + 1) * 2 > slots.length) {
      resize(slots.length * 2);
    }
    insert(connection);
    size++;
  }

  /**
   * Removes it and closes the gap, so that probing needs no tombstones (Knuth, TAOCP 3, 6.4,
   * algorithm R).
   */
  void remove(Connection connection) {
    int mask = slots.length - 1;
    int gap = home(connection.sequence(), mask);
    while (slots[gap] != connection) {
      if (slots[gap] == null) {
        return;
      }
      gap = (gap + 1) & mask;
    }
    for (int i = (gap + 1) & mask; ; i = (i + 1) & mask) {
      Connection moved = slots[i];
      if (moved == null) {
        break;
      }
      int distance = (i - home(moved.sequence(), mask)) & mask;
      if (distance >= ((i - gap) & mask)) {
        slots[gap] = moved;
        gap = i;
      }
    }
    slots[gap] = null;
    size--;
    if (slots.length > CAPACITY_MIN && size * 8 < slots.length) {
      resize(slots.length / 2);
    }
  }

  /** Calls the action with each connection present now; it may remove any. */
  void forEach(Consumer<Connection> action) {
    for (Connection connection : slots.clone()) {
      if (connection != null) {
        action.accept(connection);
      }
    }
  }

  /** The sequences of all connections, in no order. */
  long[] sequences() {
    long[] sequences = new long[size];
    int next = 0;
    for (Connection connection : slots) {
      if (connection != null) {
        sequences[next++] = connection.sequence();
      }
    }
    return sequences;
  }

  private void resize(int capacity) {
    @Nullable Connection[] old = slots;
    slots = new @Nullable Connection[capacity];
    for (Connection connection : old) {
      if (connection != null) {
        insert(connection);
      }
    }
  }

  private void insert(Connection connection) {
    int mask = slots.length - 1;
    int i = home(connection.sequence(), mask);
    while (slots[i] != null) {
      i = (i + 1) & mask;
    }
    slots[i] = connection;
  }

  private static int home(long sequence, int mask) {
    // Fibonacci hashing (Knuth, TAOCP 3, 6.4): sequences of one shard differ by the number of
    // shards.
    return (int) ((sequence * 0x9E3779B97F4A7C15L) >>> 32) & mask;
  }
}
