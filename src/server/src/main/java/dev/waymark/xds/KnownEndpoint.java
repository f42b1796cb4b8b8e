package dev.waymark.xds;

import dev.waymark.config.PoolConfig.Endpoint;

/**
 * An endpoint as the control plane describes it. Immutable.
 *
 * @param health as the control plane has it, in lower case
 * @param withheld why it is no upstream, as a clause; empty: it is one
 */
public record KnownEndpoint(Endpoint endpoint, String health, String withheld) {
  /** Whether it is an upstream. */
  public boolean isUpstream() {
    return withheld.isEmpty();
  }
}
