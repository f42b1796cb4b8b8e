package dev.waymark.engine.lane;

/** A lane as it is now, for operators. Immutable. */
public record LaneStatus(
    String pool,
    String upstream,
    boolean isOpen,
    boolean isDraining,
    String mode,
    int connections) {}
