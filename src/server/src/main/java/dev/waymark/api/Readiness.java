package dev.waymark.api;

/**
 * Whether a probe succeeds. Immutable.
 *
 * @param reason one clause for display, whether ready or not
 */
public record Readiness(boolean isReady, String reason) {}
