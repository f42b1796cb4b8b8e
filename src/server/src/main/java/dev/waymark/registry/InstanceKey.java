package dev.waymark.registry;

/** Identifies an instance. Immutable. */
public record InstanceKey(String service, String address) {}
