/**
 * Output for operators: metrics, events, the log, and standard output that never blocks.
 *
 * <p>Out of scope: the port that serves metrics ({@code api}), and the state that they show, which
 * comes through the suppliers of {@link dev.waymark.telemetry.Metrics}. Everything is thread-safe.
 * Start at {@link dev.waymark.telemetry.EventLog}.
 */
@NullMarked
package dev.waymark.telemetry;

import org.jspecify.annotations.NullMarked;
