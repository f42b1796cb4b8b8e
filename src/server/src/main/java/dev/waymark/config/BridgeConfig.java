package dev.waymark.config;

import dev.waymark.engine.base.Backoff;
import dev.waymark.engine.base.Limits;
import java.util.List;

/**
 * The whole configuration of a bridge. Immutable and checked: a bridge can start with any instance.
 *
 * @param values those of the keys in {@link ProcessKeys} and {@link LaneKeys}
 */
public record BridgeConfig(
    List<ListenerConfig> listeners,
    List<PoolConfig> pools,
    AdminConfig admin,
    KeyValues<BridgeConfig> values) {
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

  /** The value of a key. */
  public <T> T get(Key<BridgeConfig, T> key) {
    return values.get(key);
  }

  /** A copy with another value of a key. */
  public <T> BridgeConfig with(Key<BridgeConfig, T> key, T value) {
    return new BridgeConfig(listeners, pools, admin, values.with(key, value));
  }

  BridgeConfig withPools(List<PoolConfig> others) {
    return new BridgeConfig(listeners, others, admin, values);
  }

  /** A copy with other listeners. */
  public BridgeConfig withListeners(List<ListenerConfig> others) {
    return new BridgeConfig(others, pools, admin, values);
  }

  /** The logging options. */
  public LogConfig log() {
    return new LogConfig(
        get(ProcessKeys.LOG_FORMAT), get(ProcessKeys.LOG_LEVEL), get(ProcessKeys.LOG_ACCESS));
  }

  /** The bounds that the engine enforces. */
  public Limits limits() {
    return Limits.builder()
        .windowBytes(get(LaneKeys.WINDOW))
        .initialWindowBytes(get(LaneKeys.INITIAL_WINDOW))
        .replyWindowBytes(get(LaneKeys.REPLY_WINDOW))
        .replyQueueBytesMax(get(LaneKeys.REPLY_QUEUE))
        .memoryBudgetBytes(get(ProcessKeys.MEMORY_BUDGET))
        .batchBytesMax(get(LaneKeys.BATCH))
        .laneQueueBytesMax(get(LaneKeys.QUEUE))
        .settingsTimeoutNs(get(LaneKeys.SETTINGS_TIMEOUT).toNanos())
        .commitTimeoutNs(get(LaneKeys.COMMIT_TIMEOUT).toNanos())
        .pingIntervalNs(get(LaneKeys.PING_INTERVAL).toNanos())
        .laneTimeoutNs(get(LaneKeys.LANE_TIMEOUT).toNanos())
        .laneRetry(
            new Backoff(get(LaneKeys.RETRY_MIN).toNanos(), get(LaneKeys.RETRY_MAX).toNanos()))
        .creditDelayNs(get(LaneKeys.CREDIT_DELAY).toNanos())
        .lingerTimeoutNs(get(ProcessKeys.LINGER_TIMEOUT).toNanos())
        .pushWaitNs(get(LaneKeys.PUSH_WAIT).toNanos())
        .pushBytesMax(get(LaneKeys.PUSH_BYTES_MAX))
        .build();
  }
}
