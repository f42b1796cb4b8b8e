/**
 * The upstreams of a pool in one shard: their lanes, the placement of connections on them, planned
 * moves between them, and the defence against requests that kill upstreams (rules 3, 8 and 9).
 *
 * <p>Out of scope: discovery, health and the balancing policies, which are in {@code upstreams} and
 * reach the engine as {@link dev.waymark.engine.pool.PoolSnapshot} and {@link
 * dev.waymark.engine.pool.Balancer}. A pool sees its shard as {@link
 * dev.waymark.engine.pool.PoolHost}. May be imported by {@code engine.shard} and by the packages
 * that feed it. Confined to the shard's thread, but for what the shards of a process share. Start
 * at {@link dev.waymark.engine.pool.ShardPool}.
 */
@NullMarked
package dev.waymark.engine.pool;

import org.jspecify.annotations.NullMarked;
