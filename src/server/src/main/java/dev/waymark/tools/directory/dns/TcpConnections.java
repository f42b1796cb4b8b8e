package dev.waymark.tools.directory.dns;

import io.netty.channel.Channel;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The open TCP connections, the one that has been silent for the longest time first. Confined to
 * the event loop.
 */
final class TcpConnections {
  private final int connectionsMax;
  private final long idleNs;
  private final DnsCounters counters;

  /** When each of them opened, or last had a query. */
  private final LinkedHashMap<Channel, Long> activeNs = new LinkedHashMap<>();

  TcpConnections(int connectionsMax, long idleNs, DnsCounters counters) {
    this.connectionsMax = connectionsMax;
    this.idleNs = idleNs;
    this.counters = counters;
  }

  /** A connection was accepted: if it is one too many, another makes room. */
  void onOpen(Channel channel, long nowNs) {
    if (activeNs.size() >= connectionsMax) {
      counters.connectionsEvicted.increment();
      close(activeNs.firstEntry().getKey());
    }
    activeNs.putLast(channel, nowNs);
    counters.connectionsOpened.increment();
    counters.connectionsOpen.set(activeNs.size());
  }

  /** A connection had a query. */
  void onQuery(Channel channel, long nowNs) {
    if (activeNs.containsKey(channel)) {
      activeNs.putLast(channel, nowNs);
    }
  }

  /** Closes those that were silent for too long. */
  void closeIdle(long nowNs) {
    Map.Entry<Channel, Long> first;
    while ((first = activeNs.firstEntry()) != null && nowNs - first.getValue() >= idleNs) {
      close(first.getKey());
    }
  }

  void closeAll() {
    while (!activeNs.isEmpty()) {
      close(activeNs.firstEntry().getKey());
    }
  }

  private void close(Channel channel) {
    onClosed(channel);
    channel.close();
  }

  /** A connection has ended. */
  void onClosed(Channel channel) {
    activeNs.remove(channel);
    counters.connectionsOpen.set(activeNs.size());
  }
}
