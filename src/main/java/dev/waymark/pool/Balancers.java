package dev.waymark.pool;

import dev.waymark.config.PoolConfig;
import dev.waymark.core.Balancer;
import java.util.random.RandomGenerator;

/** Makes the balancer that a pool is configured with. Stateless. */
public final class Balancers {
  private Balancers() {}

  /**
   * One instance serves all shards of the pool.
   *
   * @param random read for a seed only, before this returns
   */
  public static Balancer create(PoolConfig config, RandomGenerator random) {
    return switch (config.policy()) {
      case ROUND_ROBIN -> new RoundRobin();
      case LEAST_CONNECTIONS -> new LeastConnections();
      case RANDOM_TWO -> new RandomTwo(random.nextLong());
      case RING_HASH -> new RingHash(config.hashBy());
    };
  }
}
