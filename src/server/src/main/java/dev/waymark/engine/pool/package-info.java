/**
 * The upstreams of a pool as one shard sees them: their lanes, which of them a connection is given
 * to, planned moves between them, and what is done about requests that kill upstreams (rules 3, 8
 * and 9).
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
