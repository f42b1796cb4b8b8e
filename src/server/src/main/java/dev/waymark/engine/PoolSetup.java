package dev.waymark.engine;

/** A pool, what chooses among its upstreams, and where its suspects are tried. */
public record PoolSetup(PoolOptions options, Balancer balancer, Quarantine quarantine) {}
