package dev.waymark.engine.shard;

import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The last closes of a shard by sequence; the oldest is forgotten first. Confined to its shard's
 * thread. Some 80 bytes each.
 */
final class RecentCloses {
  /**
   * What is remembered of a closed connection. Immutable.
   *
   * @param reason null: unknown
   */
  record Close(ListenerOptions listener, @Nullable CloseReason reason, long closedUnixMs) {}

  private final Map<Long, Close> closes;

  /**
   * @param capacity closes that are remembered, at least 1
   */
  RecentCloses(int capacity) {
    Check.that(capacity > 0, "no close to remember");
    closes =
        new LinkedHashMap<>() {
          @Override
          protected boolean removeEldestEntry(Map.Entry<Long, Close> eldest) {
            return size() > capacity;
          }
        };
  }

  /** Remembers a close. A sequence comes once. */
  void add(long sequence, Close close) {
    closes.put(sequence, close);
  }

  /** Null if it is not remembered. */
  @Nullable Close find(long sequence) {
    return closes.get(sequence);
  }

  int size() {
    return closes.size();
  }
}
