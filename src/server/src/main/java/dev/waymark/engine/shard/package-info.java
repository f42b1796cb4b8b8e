/**
 * Everything that one event loop owns: its connections, its pools with their lanes, its share of
 * the memory budget, and the routing of pushes.
 *
 * <p>Out of scope: the event loop itself, which the shard sees as {@link
 * dev.waymark.engine.shard.ShardEnvironment}. May be imported by {@code bridge} and its tests.
 * Confined to the shard's thread, but for {@link dev.waymark.engine.shard.MemoryBudget}, which the
 * shards of a process share. Start at {@link dev.waymark.engine.shard.Shard}.
 */
@NullMarked
package dev.waymark.engine.shard;

import org.jspecify.annotations.NullMarked;
