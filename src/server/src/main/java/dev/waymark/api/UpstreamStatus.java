package dev.waymark.api;

import java.util.Map;

/**
 * One upstream of a pool, for display. Immutable. Component names are the field names of the JSON.
 *
 * @param health the status reported by its health service, or UNREACHABLE
 * @param state serving, ejected, draining or down
 * @param isServing whether it can take new connections
 * @param weight the configured weight
 * @param slowStartPercent share of its weight that counts now
 * @param priority from 0; it gets connections while none with a lower number serves
 * @param subset number of the subset that it belongs to; 0 in a pool without subsets
 * @param labels that its list or registry gives it
 * @param connections attached to it now, over all shards
 * @param lanes to it, over all shards
 * @param openLanes how many of these lanes are open
 * @param drainedBy who has its connections move away: operator, upstream (it said Draining or
 *     NOT_SERVING, or no longer leads) or configuration (its subset has no share); empty if nobody
 * @param cause a keyword for why it is not serving; empty if it is, or if nothing is known yet
 * @param problem the same as a sentence
 */
public record UpstreamStatus(
    String pool,
    String address,
    String health,
    String state,
    boolean isServing,
    int weight,
    int slowStartPercent,
    int priority,
    int subset,
    Map<String, String> labels,
    long connections,
    int lanes,
    int openLanes,
    boolean isDraining,
    String drainedBy,
    String cause,
    String problem) {}
