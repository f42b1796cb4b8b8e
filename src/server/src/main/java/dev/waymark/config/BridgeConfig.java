package dev.waymark.config;

import dev.waymark.engine.base.Limits;
import java.time.Duration;
import java.util.List;

/**
 * Everything a bridge is told. Immutable, checked: a bridge can start from any instance.
 *
 * @param transport which Netty transport carries the sockets
 * @param shards event loops; 0: half the cores, at least one
 * @param node name in Hello and logs; the host's name by default
 * @param drainTimeout what existing connections get after SIGTERM
 * @param startTimeout listeners open after this even without a SERVING upstream
 */
public record BridgeConfig(
    List<ListenerConfig> listeners,
    List<PoolConfig> pools,
    AdminConfig admin,
    LogConfig log,
    Transport transport,
    int shards,
    String node,
    Duration drainTimeout,
    Duration startTimeout,
    Limits limits) {
  /** Netty transports; AUTO takes the first of io_uring, epoll, nio that works here. */
  public enum Transport {
    AUTO,
    IO_URING,
    EPOLL,
    NIO
  }

  public BridgeConfig {
    listeners = List.copyOf(listeners);
    pools = List.copyOf(pools);
  }

  BridgeConfig withPools(List<PoolConfig> others) {
    return new BridgeConfig(
        listeners, others, admin, log, transport, shards, node, drainTimeout, startTimeout, limits);
  }

  /** The same within other limits. */
  BridgeConfig withLimits(Limits others) {
    return new BridgeConfig(
        listeners, pools, admin, log, transport, shards, node, drainTimeout, startTimeout, others);
  }
}
