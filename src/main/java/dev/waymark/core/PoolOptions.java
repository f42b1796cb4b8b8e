package dev.waymark.core;

/**
 * What the core has to know of a pool. Immutable.
 *
 * @param name unique in the bridge; a metric label
 * @param acknowledge whether upstreams acknowledge what they have dealt with (rule 5)
 * @param noUpstreamWaitNs how long a connection waits for a SERVING upstream; 0: it is closed at
 *     once
 * @param noUpstreamBytesMax how many of its bytes are read meanwhile
 */
public record PoolOptions(
    String name, Acknowledge acknowledge, long noUpstreamWaitNs, int noUpstreamBytesMax) {
  /** Whether the upstreams of a pool send Settings. */
  public enum Acknowledge {
    /** Whatever the first message on the lane shows. */
    AUTO,
    /** They must; without Settings the initial window is all they get. */
    REQUIRED,
    /** They never do. */
    NEVER
  }
}
