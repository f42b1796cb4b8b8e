package dev.waymark.upstreams;

import dev.waymark.config.PoolConfig;
import java.util.random.RandomGenerator;

/** Makes the balancer that a pool is configured with. Stateless. */
public final class Balancers {
  private Balancers() {}

  /**
   * One instance serves all shards of the pool, for as long as the pool lives: see {@link
   * PoolBalancer#reconfigure}.
   *
   * @param random read for a seed only, before this returns
   */
  public static PoolBalancer create(PoolConfig config, RandomGenerator random) {
    return new PoolBalancer(config, random.nextLong());
  }
}
