package dev.waymark.engine.pool;

import dev.waymark.engine.base.PoolOptions;

/** The options of a pool, with the balancer and the quarantine that all shards share. */
public record PoolSetup(PoolOptions options, Balancer balancer, PoisonQuarantine quarantine) {}
