package dev.waymark.config;

import dev.waymark.config.PoolConfig.HashBy;
import dev.waymark.config.PoolConfig.Policy;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.engine.base.PoolOptions.Acknowledge;
import java.time.Duration;
import java.util.List;

/** The keys of a pool. Immutable. */
final class PoolKeys {
  /** What becomes of a connection for which no upstream is SERVING. */
  enum NoUpstream {
    WAIT,
    CLOSE
  }

  /** What becomes of the connections of an upstream that does not acknowledge and is lost. */
  enum OnUpstreamLoss {
    CLOSE,
    REOPEN
  }

  /** Which upstreams of a pool own connections. */
  enum Follow {
    NONE,
    LEADER
  }

  private static final String AT = "pools[].";
  private static final String UPSTREAM = AT + "upstreams[].";
  private static final String SUBSET = AT + "subsets[].";

  static final Key<String> NAME =
      Key.of(
          AT + "name",
          ValueType.name(),
          "default",
          "Name of the pool in logs and metrics; unique.");
  static final Key<Target> TARGET =
      Key.of(
              AT + "target",
              Targets.target(),
              "static:///127.0.0.1:4770",
              "Where upstreams are found; or the list `upstreams`, one of both.")
          .withFlag("--upstream");
  static final Key<String> UPSTREAM_ADDRESS =
      Key.without(
          UPSTREAM + "address", Targets.address(), "Address of one upstream; must be given.");
  static final Key<Integer> UPSTREAM_WEIGHT =
      Key.of(
          UPSTREAM + "weight",
          ValueType.number(1, 1000),
          "1",
          "Its share of new connections beside the others.");
  static final Key<String> UPSTREAM_LABEL =
      Key.without(
          UPSTREAM + "labels.*",
          ValueType.text(0, 253),
          "Anything worth knowing of it, as NAME: TEXT.");
  static final Key<Integer> SUBSET_SHARE =
      Key.without(
          SUBSET + "share-percent",
          ValueType.number(0, 100),
          "Share of the connections for the upstreams with all of these labels; must be given; 0:"
              + " none.");
  static final Key<String> SUBSET_LABEL =
      Key.without(
          SUBSET + "labels.*",
          ValueType.text(0, 253),
          "Who belongs to it, as NAME: TEXT; an upstream is of the first that it fits, else of the"
              + " rest.");
  static final Key<Policy> POLICY =
      Key.of(
              AT + "policy",
              ValueType.word(Policy.class),
              "round-robin",
              "How the upstream of a new connection is chosen.")
          .withFlag("--policy");
  static final Key<HashBy> HASH_BY =
      Key.of(
          AT + "hash-by",
          ValueType.word(HashBy.class),
          "client-address",
          "What policy ring-hash hashes.");
  static final Key<Acknowledge> ACKNOWLEDGE =
      Key.of(
              AT + "acknowledge",
              ValueType.word(Acknowledge.class),
              "auto",
              "Whether upstreams acknowledge what they dealt with; auto: as their first message"
                  + " shows.")
          .withFlag("--acknowledge");
  static final Key<String> HEALTH_SERVICE =
      Key.of(
          AT + "health-service",
          ValueType.text(0, 253),
          "",
          "Service name asked of grpc.health.v1; empty: the server as a whole.");
  static final Key<Duration> HEALTH_RETRY_MIN =
      Key.of(
          AT + "health-retry-min",
          ValueType.duration("1h"),
          "100ms",
          "First wait before a broken health Watch is opened again; doubled each time.");
  static final Key<Duration> HEALTH_RETRY_MAX =
      Key.of(AT + "health-retry-max", ValueType.duration("1h"), "10s", "Longest such wait.");
  static final Key<Duration> DNS_TTL_MIN =
      Key.of(
          AT + "dns-ttl-min", ValueType.duration("24h"), "1s", "A name is not asked again sooner.");
  static final Key<Duration> DNS_TTL_MAX =
      Key.of(
          AT + "dns-ttl-max",
          ValueType.duration("24h"),
          "60s",
          "A name is asked again at least this often.");
  static final Key<NoUpstream> NO_UPSTREAM =
      Key.of(
              AT + "no-upstream",
              ValueType.word(NoUpstream.class),
              "wait",
              "What becomes of a connection for which no upstream is SERVING.")
          .withFlag("--no-upstream");
  static final Key<Duration> NO_UPSTREAM_WAIT =
      Key.of(
          AT + "no-upstream-wait",
          ValueType.duration("1h"),
          "5s",
          "How long it waits before it is closed.");
  static final Key<Integer> NO_UPSTREAM_BYTES =
      Key.of(
          AT + "no-upstream-bytes",
          ValueType.size("1", "16MiB"),
          "64KiB",
          "How many of its bytes are read meanwhile.");
  static final Key<Duration> USER_TIMEOUT =
      Key.of(
          AT + "user-timeout",
          ValueType.durationOrOff("24h"),
          "10s",
          "An upstream's host that acknowledges nothing for this long loses its lanes and its"
              + " health Watch; off: the kernel decides.");

  static final Key<OnUpstreamLoss> ON_UPSTREAM_LOSS =
      Key.of(
          AT + "on-upstream-loss",
          ValueType.word(OnUpstreamLoss.class),
          "close",
          "What becomes of connections whose upstream is lost and does not acknowledge; those of"
              + " others are replayed to another.");
  static final Key<Duration> PROGRESS_TIMEOUT =
      Key.of(
          AT + "progress-timeout",
          ValueType.durationOrOff("24h"),
          "30s",
          "Bytes that an upstream has not dealt with for this long, without a word, go to another;"
              + " off for long polls.");
  static final Key<Duration> RELEASE_TIMEOUT =
      Key.of(
          AT + "release-timeout",
          ValueType.duration("1h"),
          "10s",
          "How long an upstream may take to hand a connection over before it is taken away.");
  static final Key<Duration> DRAIN_TIMEOUT =
      Key.of(
          AT + "drain-timeout",
          ValueType.durationOrOff("24h"),
          "60s",
          "How long connections that cannot be handed over stay with an upstream that drains; off:"
              + " as long as it lets them.");
  static final Key<Integer> MOVES_PER_SECOND =
      Key.of(
          AT + "moves-per-second",
          ValueType.number(1, 1_000_000),
          "2000",
          "Planned moves of connections that the bridge begins in a second.");
  static final Key<Boolean> REBALANCE =
      Key.of(
          AT + "rebalance",
          ValueType.onOff(),
          "on",
          "Connections move to upstreams that come, until the shares are right.");
  static final Key<Follow> FOLLOW =
      Key.of(
          AT + "follow",
          ValueType.word(Follow.class),
          "none",
          "leader: all connections belong to the upstream that turned SERVING last, and to no"
              + " other.");

  static final Key<Boolean> EJECTION =
      Key.of(
          AT + "ejection",
          ValueType.onOff(),
          "on",
          "An upstream that misbehaves though it says SERVING gets no new connections for a"
              + " while.");
  static final Key<Integer> EJECTION_SUSPICIONS =
      Key.of(
          AT + "ejection-suspicions",
          ValueType.number(1, 1000),
          "5",
          "Broken or refused lanes, refused connections and time-outs that eject; of a kind one a"
              + " second counts.");
  static final Key<Duration> EJECTION_WINDOW =
      Key.of(AT + "ejection-window", ValueType.duration("1h"), "10s", "Within this time.");
  static final Key<Duration> EJECTION_TIME =
      Key.of(
          AT + "ejection-time",
          ValueType.duration("24h"),
          "30s",
          "How long the first time; the second twice as long, the third three times.");
  static final Key<Duration> EJECTION_TIME_MAX =
      Key.of(AT + "ejection-time-max", ValueType.duration("24h"), "5m", "Never longer than this.");
  static final Key<Integer> EJECTED_MAX_PERCENT =
      Key.of(
          AT + "ejected-max-percent",
          ValueType.number(0, 100),
          "50",
          "Never more of the pool than this, and never the last one that serves.");
  static final Key<Duration> SLOW_START =
      Key.of(
          AT + "slow-start",
          ValueType.durationOrOff("24h"),
          "off",
          "The weight of an upstream that turns SERVING rises from a tenth to all of it in this"
              + " time.");

  static final List<Key<?>> ALL =
      List.of(
          NAME,
          TARGET,
          UPSTREAM_ADDRESS,
          UPSTREAM_WEIGHT,
          UPSTREAM_LABEL,
          SUBSET_SHARE,
          SUBSET_LABEL,
          POLICY,
          HASH_BY,
          ACKNOWLEDGE,
          HEALTH_SERVICE,
          HEALTH_RETRY_MIN,
          HEALTH_RETRY_MAX,
          DNS_TTL_MIN,
          DNS_TTL_MAX,
          NO_UPSTREAM,
          NO_UPSTREAM_WAIT,
          NO_UPSTREAM_BYTES,
          USER_TIMEOUT,
          ON_UPSTREAM_LOSS,
          PROGRESS_TIMEOUT,
          RELEASE_TIMEOUT,
          DRAIN_TIMEOUT,
          MOVES_PER_SECOND,
          REBALANCE,
          FOLLOW,
          EJECTION,
          EJECTION_SUSPICIONS,
          EJECTION_WINDOW,
          EJECTION_TIME,
          EJECTION_TIME_MAX,
          EJECTED_MAX_PERCENT,
          SLOW_START);

  private PoolKeys() {}
}
