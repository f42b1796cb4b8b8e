package dev.waymark.engine.pool;

import dev.waymark.engine.base.PoolOptions;

/** A pool, what chooses among its upstreams, and where its suspects are tried. */
public record PoolSetup(PoolOptions options, Balancer balancer, PoisonQuarantine quarantine) {}
