package dev.waymark.admin;

/**
 * Whether new clients are served. Immutable.
 *
 * @param reason one clause for people, either way
 */
public record Readiness(boolean isReady, String reason) {}
