package dev.waymark.engine.lane;

/** A snapshot of a lane, for operators. Immutable. */
public record LaneStatus(
    String pool,
    String upstream,
    boolean isOpen,
    boolean isDraining,
    String mode,
    int connections) {}
