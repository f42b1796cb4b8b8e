package dev.waymark.engine.shard;

import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The last closes of a shard by sequence; the oldest is forgotten first. Confined to its shard's
 * thread.
 *
 * <p>A ring of places in the order of closing, and chains of the places whose sequences have the
 * same hash: at most 29 bytes for each close. The ring consists of chunks that are allocated when
 * first needed, so that a bridge with few closes holds little, and so that no array takes half a
 * region of the collector, which would cost a whole one.
 */
final class RecentCloses {
  private static final int CHUNK_BITS = 10;
  private static final int CHUNK_LENGTH = 1 << CHUNK_BITS;

  private static final int BYTES_OF_CLOSE =
      Long.BYTES + Long.BYTES + Byte.BYTES + Integer.BYTES + Integer.BYTES;

  private static final byte NO_REASON = 0;

  private static final class Chunk {
    final long[] sequences;
    final long[] closedUnixMs;
    final byte[] reasons;
    final @Nullable ListenerOptions[] listeners;

    /** 1 + the next place of the same chain; 0: there is none. */
    final int[] nexts;

    Chunk(int length) {
      sequences = new long[length];
      closedUnixMs = new long[length];
      reasons = new byte[length];
      listeners = new @Nullable ListenerOptions[length];
      nexts = new int[length];
    }
  }

  private final int capacity;
  private final List<Chunk> chunks = new ArrayList<>();

  /** By hash, 1 + the first place of its chain; 0: there is none. */
  private int[] heads = new int[1];

  /** How many places there are now. */
  private int length;

  private int size;

  /** The place to be written next; when all are in use, the oldest. */
  private int next;

  /**
   * @param capacity closes that are remembered, at least 1
   */
  RecentCloses(int capacity) {
    Check.that(capacity > 0, "no close to remember");
    this.capacity = capacity;
  }

  // --- inputs ---

  /**
   * A connection is closed. A sequence comes once.
   *
   * @param reason null: unknown
   */
  void add(
      long sequence, ListenerOptions listener, @Nullable CloseReason reason, long closedUnixMs) {
    if (size == capacity) {
      unlink(next);
    } else {
      if (size == length) {
        grow();
      }
      size++;
    }
    Chunk chunk = chunkOf(next);
    int at = at(next);
    chunk.sequences[at] = sequence;
    chunk.closedUnixMs[at] = closedUnixMs;
    chunk.reasons[at] = reason == null ? NO_REASON : (byte) reason.wireCode();
    chunk.listeners[at] = listener;
    link(next);
    next = next + 1 == capacity ? 0 : next + 1;
  }

  // --- outputs ---

  /** Its place, valid until the next close is added; negative if it is not remembered. */
  int find(long sequence) {
    int place = heads[home(sequence, heads.length - 1)] - 1;
    while (place >= 0 && sequence(place) != sequence) {
      place = nextOf(place);
    }
    return place;
  }

  ListenerOptions listener(int place) {
    ListenerOptions listener = chunkOf(place).listeners[at(place)];
    if (listener == null) {
      throw new IllegalArgumentException("no close is there");
    }
    return listener;
  }

  /** Null: unknown. */
  @Nullable CloseReason reason(int place) {
    byte reason = chunkOf(place).reasons[at(place)];
    return reason == NO_REASON ? null : CloseReason.ofWireCode(reason);
  }

  long closedUnixMs(int place) {
    return chunkOf(place).closedUnixMs[at(place)];
  }

  int size() {
    return size;
  }

  /** Of its arrays, with references of four bytes. */
  long heldBytes() {
    return (long) length * BYTES_OF_CLOSE + (long) heads.length * Integer.BYTES;
  }

  // --- transitions ---

  private void grow() {
    int more = Math.min(CHUNK_LENGTH, capacity - length);
    chunks.add(new Chunk(more));
    length += more;
    int headCount = Integer.highestOneBit(length);
    if (headCount > heads.length) {
      heads = new int[headCount];
      for (int place = 0; place < size; place++) {
        link(place);
      }
    }
  }

  private void link(int place) {
    int home = home(sequence(place), heads.length - 1);
    chunkOf(place).nexts[at(place)] = heads[home];
    heads[home] = place + 1;
  }

  private void unlink(int place) {
    int home = home(sequence(place), heads.length - 1);
    int before = heads[home] - 1;
    if (before == place) {
      heads[home] = nextOf(place) + 1;
      return;
    }
    while (nextOf(before) != place) {
      before = nextOf(before);
    }
    chunkOf(before).nexts[at(before)] = nextOf(place) + 1;
  }

  private long sequence(int place) {
    return chunkOf(place).sequences[at(place)];
  }

  /** Negative: the chain ends here. */
  private int nextOf(int place) {
    return chunkOf(place).nexts[at(place)] - 1;
  }

  private Chunk chunkOf(int place) {
    return chunks.get(place >> CHUNK_BITS);
  }

  private static int at(int place) {
    return place & (CHUNK_LENGTH - 1);
  }

  static int home(long sequence, int mask) {
    // Fibonacci hashing, as in ConnectionTable.
    return (int) ((sequence * 0x9E3779B97F4A7C15L) >>> 32) & mask;
  }
}
