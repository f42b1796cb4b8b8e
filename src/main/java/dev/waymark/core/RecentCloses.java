package dev.waymark.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The last closes of a shard by sequence; the eldest is forgotten first. Confined to its shard's
 * thread.
 *
 * <p>A ring of parallel arrays in the order of closing, and slots with places in it, found by open
 * addressing: 29 bytes for each close that is remembered, with capacities that are no power of two
 * up to 32. All of it grows by doubling until the capacity is reached, so that a bridge with few
 * closes holds little.
 */
final class RecentCloses {
  private static final int LENGTH_MIN = 64;

  private static final int BYTES_OF_CLOSE = Long.BYTES + Long.BYTES + Byte.BYTES + Integer.BYTES;

  private static final byte NO_REASON = 0;

  private final int capacity;
  private long[] sequences;
  private long[] closedUnixMs;
  private byte[] reasons;
  private @Nullable ShardListener[] listeners;

  /** 1 + a place in the ring; 0: free. */
  private int[] slots;

  private int size;

  /** The place that is written next: while all are in use, the eldest's. */
  private int next;

  /**
   * @param capacity closes that are remembered, at least 1
   */
  RecentCloses(int capacity) {
    Check.that(capacity > 0, "no close to remember");
    this.capacity = capacity;
    int length = Math.min(capacity, LENGTH_MIN);
    sequences = new long[length];
    closedUnixMs = new long[length];
    reasons = new byte[length];
    listeners = new @Nullable ShardListener[length];
    slots = new int[slotCount(length)];
  }

  // --- inputs ---

  /**
   * A connection is closed. A sequence comes once.
   *
   * @param reason null: unknown
   */
  void add(
      long sequence, ShardListener listener, @Nullable CloseReason reason, long closedAtUnixMs) {
    if (size == capacity) {
      forget(next);
    } else {
      if (size == sequences.length) {
        grow();
      }
      size++;
    }
    sequences[next] = sequence;
    closedUnixMs[next] = closedAtUnixMs;
    reasons[next] = reason == null ? NO_REASON : (byte) reason.wireCode();
    listeners[next] = listener;
    insert(next);
    next = next + 1 == capacity ? 0 : next + 1;
  }

  // --- outputs ---

  /** Where it is remembered, until the next one is added; negative: nowhere. */
  int find(long sequence) {
    int mask = slots.length - 1;
    for (int i = home(sequence, mask); slots[i] != 0; i = (i + 1) & mask) {
      int place = slots[i] - 1;
      if (sequences[place] == sequence) {
        return place;
      }
    }
    return -1;
  }

  ShardListener listener(int place) {
    ShardListener listener = listeners[place];
    if (listener == null) {
      throw new IllegalArgumentException("no close is there");
    }
    return listener;
  }

  /** Null: unknown. */
  @Nullable CloseReason reason(int place) {
    return reasons[place] == NO_REASON ? null : CloseReason.ofWireCode(reasons[place]);
  }

  long closedUnixMs(int place) {
    return closedUnixMs[place];
  }

  int size() {
    return size;
  }

  /** Of its arrays, with references of four bytes. */
  long heldBytes() {
    return (long) sequences.length * BYTES_OF_CLOSE + (long) slots.length * Integer.BYTES;
  }

  // --- transitions ---

  private void grow() {
    int length = (int) Math.min(capacity, sequences.length * 2L);
    sequences = Arrays.copyOf(sequences, length);
    closedUnixMs = Arrays.copyOf(closedUnixMs, length);
    reasons = Arrays.copyOf(reasons, length);
    listeners = Arrays.copyOf(listeners, length);
    slots = new int[slotCount(length)];
    for (int place = 0; place < size; place++) {
      insert(place);
    }
  }

  private void insert(int place) {
    int mask = slots.length - 1;
    int i = home(sequences[place], mask);
    while (slots[i] != 0) {
      i = (i + 1) & mask;
    }
    slots[i] = place + 1;
  }

  /** Closes the gap, as {@link ConnectionTable#remove} does. */
  private void forget(int place) {
    int mask = slots.length - 1;
    int gap = home(sequences[place], mask);
    while (slots[gap] != place + 1) {
      gap = (gap + 1) & mask;
    }
    for (int i = (gap + 1) & mask; slots[i] != 0; i = (i + 1) & mask) {
      int distance = (i - home(sequences[slots[i] - 1], mask)) & mask;
      if (distance >= ((i - gap) & mask)) {
        slots[gap] = slots[i];
        gap = i;
      }
    }
    slots[gap] = 0;
  }

  /** A power of two of which at most three quarters are in use, and one is free. */
  private static int slotCount(int length) {
    int least = length + Math.max(1, length / 3);
    return Integer.highestOneBit(least - 1) << 1;
  }

  static int home(long sequence, int mask) {
    // Fibonacci hashing, as in ConnectionTable.
    return (int) ((sequence * 0x9E3779B97F4A7C15L) >>> 32) & mask;
  }
}
