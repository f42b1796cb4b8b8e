/**
 * Clients that check every byte while upstreams are killed, frozen, drained and added in a seeded
 * order: {@link dev.waymark.e2e.chaos.Chaos}; and figures of pauses and of many short connections.
 * {@code misc/chaos} runs them for any length, {@link dev.waymark.e2e.chaos.ChaosIT} for a short
 * one.
 */
@NullMarked
package dev.waymark.e2e.chaos;

import org.jspecify.annotations.NullMarked;
