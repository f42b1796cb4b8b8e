package dev.waymark.upstreams;

import dev.waymark.config.PoolConfig;
import java.util.random.RandomGenerator;

/** Creates the balancer of a pool. Stateless. */
public final class Balancers {
  private Balancers() {}

  /**
   * Creates the balancer that all shards of the pool share, for the life of the pool: see {@link
   * PoolBalancer#reconfigure}.
   *
   * @param random used only during this call, for a seed
   */
  public static PoolBalancer create(PoolConfig config, RandomGenerator random) {
    return new PoolBalancer(config, random.nextLong());
  }
}
