package dev.waymark.api;

/**
 * One pool, for display. Immutable. Component names are the field names of the JSON.
 *
 * @param upstreams number of upstreams found by discovery
 * @param serving how many of them can take connections
 * @param cause a keyword for why the pool's name cannot be resolved; empty if it can, or if there
 *     is no name to resolve
 * @param problem the same as a sentence
 */
public record PoolStatus(String pool, int upstreams, int serving, String cause, String problem) {}
