package dev.waymark.engine.shard;

import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the last closes of a shard by sequence; the oldest is forgotten first. About 80 bytes
 * each, with compact object headers. Confined to its shard's thread.
 */
final class RecentCloses {
  /**
   * What is remembered of a closed connection. Immutable.
   *
   * @param reason null if unknown
   */
  record Close(ListenerOptions listener, @Nullable CloseReason reason, long closedUnixMs) {}

  private final Map<Long, Close> closes;

  /**
   * @param capacity how many closes are remembered, at least 1
   */
  RecentCloses(int capacity) {
    Check.that(capacity > 0, "capacity is positive");
    closes =
        new LinkedHashMap<>() {
          @Override
          protected boolean removeEldestEntry(Map.Entry<Long, Close> eldest) {
            return size() > capacity;
          }
        };
  }

  /** Remembers a close. Called once for each sequence. */
  void add(long sequence, Close close) {
    closes.put(sequence, close);
  }

  /** Returns null if the close is not remembered. */
  @Nullable Close find(long sequence) {
    return closes.get(sequence);
  }

  int size() {
    return closes.size();
  }
}
