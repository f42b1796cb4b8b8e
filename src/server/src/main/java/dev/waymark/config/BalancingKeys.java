package dev.waymark.config;

import java.time.Duration;

/** The keys by which the upstream of a new connection is chosen. Immutable. */
public final class BalancingKeys {
  /** How the upstream of a new connection is chosen. */
  public enum Policy {
    ROUND_ROBIN,
    LEAST_CONNECTIONS,
    RANDOM_TWO,
    RING_HASH
  }

  /** What ring-hash hashes. */
  public enum HashBy {
    CLIENT_ADDRESS,
    MARK
  }

  /** Which upstreams of a pool own connections. */
  public enum Follow {
    NONE,
    LEADER
  }

  static final KeyGroup<PoolConfig> GROUP = new KeyGroup<>("Balancing", Scope.POOL, "");

  public static final Key<PoolConfig, Policy> POLICY =
      GROUP
          .key("policy", ValueType.word(Policy.class))
          .byDefault("round-robin")
          .flag("--policy")
          .onReload(OnReload.AT_ONCE)
          .meaning("How the upstream of a new connection is chosen.");

  public static final Key<PoolConfig, HashBy> HASH_BY =
      GROUP
          .key("hash-by", ValueType.word(HashBy.class))
          .byDefault("client-address")
          .onReload(OnReload.AT_ONCE)
          .meaning("What the policy ring-hash hashes.");

  public static final Key<PoolConfig, Duration> SLOW_START =
      GROUP
          .key("slow-start", ValueType.durationOrOff("24h"))
          .byDefault("off")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Time in which the weight of an upstream that becomes SERVING rises from a tenth to its full value.");

  public static final Key<PoolConfig, Boolean> REBALANCE =
      GROUP
          .key("rebalance", ValueType.onOff())
          .byDefault("on")
          .onReload(OnReload.AT_ONCE)
          .meaning("Move connections to upstreams that join, until every share is right.");

  public static final Key<PoolConfig, Follow> FOLLOW =
      GROUP
          .key("follow", ValueType.word(Follow.class))
          .byDefault("none")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "leader: all connections belong to the upstream that became SERVING last, and to no other.");

  private BalancingKeys() {}
}
