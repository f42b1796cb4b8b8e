package dev.waymark.admin;

/**
 * One upstream of a pool, for people. Immutable. The names of the components are the fields of the
 * JSON.
 *
 * @param health as the health service names it, or UNREACHABLE
 * @param isServing new connections may be given to it
 * @param connections attached to it now, by all shards
 * @param lanes that all shards hold to it
 * @param openLanes those of them that work
 */
public record UpstreamStatus(
    String pool,
    String address,
    String health,
    boolean isServing,
    long connections,
    int lanes,
    int openLanes,
    boolean isDraining) {}
