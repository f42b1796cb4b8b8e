package dev.waymark.api;

/**
 * One upstream of a pool, for people. Immutable. The names of the components are the fields of the
 * JSON.
 *
 * @param health as the health service names it, or UNREACHABLE
 * @param state serving, ejected, draining or down
 * @param isServing new connections may be given to it
 * @param weight as configured
 * @param slowStartPercent how much of its weight holds now
 * @param subset number of the subset that it belongs to, 0 in a pool without subsets
 * @param connections attached to it now, by all shards
 * @param lanes that all shards hold to it
 * @param openLanes those of them that work
 * @param cause a word for why it does not serve; empty: it does, or nothing is known yet
 * @param problem the same in words
 */
public record UpstreamStatus(
    String pool,
    String address,
    String health,
    String state,
    boolean isServing,
    int weight,
    int slowStartPercent,
    int subset,
    long connections,
    int lanes,
    int openLanes,
    boolean isDraining,
    String cause,
    String problem) {}
