package dev.waymark.config;

import java.time.Duration;

/** The keys of outlier detection: when a misbehaving upstream is ejected. Immutable. */
public final class OutlierKeys {
  static final KeyGroup<PoolConfig> GROUP = new KeyGroup<>("Outlier detection", Scope.POOL, "");

  public static final Key<PoolConfig, Boolean> EJECTION =
      GROUP
          .key("ejection", ValueType.onOff())
          .byDefault("on")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Eject an upstream that misbehaves although it reports SERVING: it gets no new connections for a while.");

  public static final Key<PoolConfig, Integer> SIGNALS =
      GROUP
          .key("ejection-signals", ValueType.number(1, 1000))
          .byDefault("5")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Outlier signals that eject an upstream: broken or refused lanes, refused connections and timeouts. At most one of each kind counts per second.");

  public static final Key<PoolConfig, Duration> WINDOW =
      GROUP
          .key("ejection-window", ValueType.duration("1h"))
          .byDefault("10s")
          .onReload(OnReload.AT_ONCE)
          .meaning("Period within which outlier signals are counted.");

  public static final Key<PoolConfig, Duration> TIME =
      GROUP
          .key("ejection-time", ValueType.duration("24h"))
          .byDefault("30s")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "How long the first ejection lasts. The second lasts twice as long, the third three times.");

  public static final Key<PoolConfig, Duration> TIME_MAX =
      GROUP
          .key("ejection-time-max", ValueType.duration("24h"))
          .byDefault("5m")
          .atLeast(TIME)
          .onReload(OnReload.AT_ONCE)
          .meaning("Longest ejection.");

  public static final Key<PoolConfig, Integer> PERCENT_MAX =
      GROUP
          .key("ejected-max-percent", ValueType.number(0, 100))
          .byDefault("50")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Largest part of the pool that may be ejected. The last upstream that serves is never ejected.");

  private OutlierKeys() {}
}
