package dev.waymark.api;

/**
 * One pool, for people. Immutable. The names of the components are the fields of the JSON.
 *
 * @param upstreams that discovery has found
 * @param serving those of them to which connections may be given
 * @param cause a word for why the pool's name cannot be resolved; empty: it can, or there is none
 * @param problem the same in words
 */
public record PoolStatus(String pool, int upstreams, int serving, String cause, String problem) {}
