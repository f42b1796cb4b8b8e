package dev.waymark.config;

import dev.waymark.engine.base.PoolOptions.Acknowledge;
import java.time.Duration;

/** The keys of owning connections: how they get an upstream, keep it and move on. Immutable. */
public final class OwnershipKeys {
  /** What happens to a connection for which no upstream is SERVING. */
  public enum NoUpstream {
    WAIT,
    CLOSE
  }

  /** What happens to the connections of an upstream that does not acknowledge and is lost. */
  public enum OnUpstreamLoss {
    CLOSE,
    REOPEN
  }

  static final KeyGroup<PoolConfig> GROUP =
      new KeyGroup<>("Connections and their upstream", Scope.POOL, "");

  public static final Key<PoolConfig, Acknowledge> ACKNOWLEDGE =
      GROUP
          .key("acknowledge", ValueType.word(Acknowledge.class))
          .byDefault("auto")
          .flag("--acknowledge")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Whether upstreams acknowledge the bytes they have processed. auto: their first message on the lane decides; never: delivery is at most once.");

  public static final Key<PoolConfig, NoUpstream> NO_UPSTREAM =
      GROUP
          .key("no-upstream", ValueType.word(NoUpstream.class))
          .byDefault("wait")
          .flag("--no-upstream")
          .onReload(OnReload.AT_ONCE)
          .meaning("What happens to a connection for which no upstream is SERVING.");

  public static final Key<PoolConfig, Duration> NO_UPSTREAM_WAIT =
      GROUP
          .key("no-upstream-wait", ValueType.duration("1h"))
          .byDefault("5s")
          .onReload(OnReload.AT_ONCE)
          .meaning("How long a connection waits for an upstream before it is closed.");

  public static final Key<PoolConfig, Integer> NO_UPSTREAM_BYTES =
      GROUP
          .key("no-upstream-bytes", ValueType.size("1", "16MiB"))
          .byDefault("64KiB")
          .onReload(OnReload.AT_ONCE)
          .meaning("How many bytes of a connection are read while it waits for an upstream.");

  public static final Key<PoolConfig, OnUpstreamLoss> ON_UPSTREAM_LOSS =
      GROUP
          .key("on-upstream-loss", ValueType.word(OnUpstreamLoss.class))
          .byDefault("close")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "What happens to the connections of a lost upstream that does not acknowledge: close them, or reopen them on another without replay. Connections of an upstream that acknowledges are always replayed to another.");

  public static final Key<PoolConfig, Duration> PROGRESS_TIMEOUT =
      GROUP
          .key("progress-timeout", ValueType.durationOrOff("24h"))
          .byDefault("30s")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Bytes go to another upstream when their owner has neither consumed nor answered them for this long. off: never; use it for long polling.");

  public static final Key<PoolConfig, Duration> RELEASE_TIMEOUT =
      GROUP
          .key("release-timeout", ValueType.duration("1h"))
          .byDefault("10s")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "How long an upstream may take to hand a connection over before it is taken away.");

  public static final Key<PoolConfig, Duration> DRAIN_TIMEOUT =
      GROUP
          .key("drain-timeout", ValueType.durationOrOff("24h"))
          .byDefault("60s")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "How long connections that cannot be handed over stay with a draining upstream. off: until the upstream closes them.");

  public static final Key<PoolConfig, Integer> MOVES_PER_SECOND =
      GROUP
          .key("moves-per-second", ValueType.number(1, 1_000_000))
          .byDefault("2000")
          .onReload(OnReload.AT_ONCE)
          .meaning("Planned moves of connections that the bridge starts per second.");

  private OwnershipKeys() {}
}
