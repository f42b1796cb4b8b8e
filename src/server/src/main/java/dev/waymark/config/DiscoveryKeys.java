package dev.waymark.config;

import java.time.Duration;

/** The keys of finding a pool's upstreams. Immutable. */
public final class DiscoveryKeys {
  static final KeyGroup<PoolConfig> GROUP = new KeyGroup<>("Discovery", Scope.POOL, "");

  public static final Key<PoolConfig, Duration> DNS_TTL_MIN =
      GROUP
          .key("dns-ttl-min", ValueType.duration("24h"))
          .byDefault("1s")
          .onReload(OnReload.AT_ONCE)
          .meaning("A name is not resolved again sooner than this.");

  public static final Key<PoolConfig, Duration> DNS_TTL_MAX =
      GROUP
          .key("dns-ttl-max", ValueType.duration("24h"))
          .byDefault("60s")
          .atLeast(DNS_TTL_MIN)
          .onReload(OnReload.AT_ONCE)
          .meaning("A name is resolved again at least this often.");

  private DiscoveryKeys() {}
}
