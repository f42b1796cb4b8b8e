/**
 * What an operator reads: metrics, events, the log, and standard output that never blocks.
 *
 * <p>Out of scope: the port that serves it ({@code api}), and the state itself, which comes through
 * the suppliers of {@link dev.waymark.telemetry.Metrics}. Thread-safe throughout. Start at {@link
 * dev.waymark.telemetry.EventLog}.
 */
@NullMarked
package dev.waymark.telemetry;

import org.jspecify.annotations.NullMarked;
