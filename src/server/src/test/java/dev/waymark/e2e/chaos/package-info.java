/**
 * Chaos tests. {@link dev.waymark.e2e.chaos.Chaos} checks every byte while upstreams are killed,
 * frozen, drained and added in a seeded order; others measure pauses and many short connections.
 * {@code misc/chaos} runs them for any length of time, the ITs for less than a minute.
 */
@NullMarked
package dev.waymark.e2e.chaos;

import org.jspecify.annotations.NullMarked;
