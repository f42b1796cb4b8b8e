package dev.waymark.config;

import java.net.InetSocketAddress;

/** The admin port. Immutable. */
public record AdminConfig(InetSocketAddress address) {}
