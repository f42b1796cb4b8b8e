package dev.waymark.config;

import java.time.Duration;

/** The keys of watching the health of a pool's upstreams. Immutable. */
public final class HealthKeys {
  static final KeyGroup<PoolConfig> GROUP = new KeyGroup<>("Health", Scope.POOL, "");

  public static final Key<PoolConfig, String> SERVICE =
      GROUP
          .key("health-service", ValueType.text(0, 253))
          .byDefault("")
          .onReload(OnReload.AT_ONCE)
          .meaning("Service name for grpc.health.v1. Empty: the server as a whole.");

  public static final Key<PoolConfig, Duration> RETRY_MIN =
      GROUP
          .key("health-retry-min", ValueType.duration("1h"))
          .byDefault("100ms")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Delay before a broken health Watch is opened again. Doubles with every failure.");

  public static final Key<PoolConfig, Duration> RETRY_MAX =
      GROUP
          .key("health-retry-max", ValueType.duration("1h"))
          .byDefault("10s")
          .atLeast(RETRY_MIN)
          .onReload(OnReload.AT_ONCE)
          .meaning("Longest delay before a broken health Watch is opened again.");

  public static final Key<PoolConfig, Duration> USER_TIMEOUT =
      GROUP
          .key("user-timeout", ValueType.durationOrOff("24h"))
          .byDefault("10s")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Lanes and the health Watch are closed when the upstream's host has acknowledged nothing for this long (TCP_USER_TIMEOUT). off: the kernel decides.");

  private HealthKeys() {}
}
