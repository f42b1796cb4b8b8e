package dev.waymark.api.http;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The connections of an HTTP port, bounded in number. A new one always gets in: at the limit it
 * evicts the one that has waited longest for its request or, if none is waiting, the one whose
 * answer has taken longest. So neither silent nor slow peers keep a probe out. Confined to the
 * port's event loop, except {@link #evicted}.
 */
final class HttpConnections {
  /** No further non-empty reply is started while more unwritten reply bytes than this wait. */
  static final long WAITING_BYTES_MAX = 16L << 20;

  private final int connectionsMax;

  /** In the order of their last reply, or of their start if they had none. */
  private final Set<HttpConnection> connections = new LinkedHashSet<>();

  private final AtomicLong evicted = new AtomicLong();
  private long waitingBytes;

  HttpConnections(int connectionsMax) {
    this.connectionsMax = connectionsMax;
  }

  void enter(HttpConnection connection) {
    if (connections.size() >= connectionsMax) {
      evicted.incrementAndGet();
      HttpConnection leaving =
          connections.stream()
              .filter(HttpConnection::isWaiting)
              .findFirst()
              .orElseGet(connections.iterator()::next);
      connections.remove(leaving);
      leaving.close();
    }
    connections.add(connection);
  }

  /** Moves a connection that has been served to the end of the eviction order. */
  void renew(HttpConnection connection) {
    if (connections.remove(connection)) {
      connections.add(connection);
    }
  }

  void leave(HttpConnection connection) {
    connections.remove(connection);
  }

  /** Has every connection check its deadline. */
  void onTick(long nowNs) {
    List.copyOf(connections).forEach(connection -> connection.onTick(nowNs));
  }

  /** Counts reply bytes as waiting, or returns false if too many wait already. */
  boolean addWaiting(long bytes) {
    if (bytes > 0 && waitingBytes > WAITING_BYTES_MAX) {
      return false;
    }
    waitingBytes += bytes;
    return true;
  }

  void removeWaiting(long bytes) {
    waitingBytes -= bytes;
  }

  /** Number of connections closed to make room for others. Any thread. */
  long evicted() {
    return evicted.get();
  }
}
