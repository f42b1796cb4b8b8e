package dev.waymark.api;

/**
 * Whether new clients are served. Immutable.
 *
 * @param reason one clause for people, either way
 */
public record Readiness(boolean isReady, String reason) {}
