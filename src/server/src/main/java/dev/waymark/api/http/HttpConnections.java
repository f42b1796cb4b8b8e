package dev.waymark.api.http;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The connections of an HTTP port, so many at most: a new one always gets in, in the place of the
 * one that has waited longest for its request, or else of the one that has been answered for the
 * longest time. So neither silent nor slow peers keep a probe out. Confined to the port's event
 * loop, but for {@link #evicted}.
 */
final class HttpConnections {
  /** Reply bytes that wait for their readers, above which no further long reply is begun. */
  static final long WAITING_BYTES_MAX = 16L << 20;

  private final int connectionsMax;

  /** Those that were last given their reply come last. */
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

  /** It has been served, and may stay longer than others. */
  void renew(HttpConnection connection) {
    if (connections.remove(connection)) {
      connections.add(connection);
    }
  }

  void leave(HttpConnection connection) {
    connections.remove(connection);
  }

  /** Closes those of which a step has taken too long. */
  void closeOverdue(long nowNs) {
    List.copyOf(connections).stream()
        .filter(connection -> connection.isOverdue(nowNs))
        .forEach(HttpConnection::close);
  }

  /** Whether that many more bytes may wait; if so, they count from now on. */
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

  /** Connections that were closed for want of places. Any thread. */
  long evicted() {
    return evicted.get();
  }
}
