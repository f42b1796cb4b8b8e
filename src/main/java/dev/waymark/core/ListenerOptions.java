package dev.waymark.core;

/**
 * What the core has to know of a listener. Immutable.
 *
 * @param name unique in the bridge; a metric label
 * @param pool whose upstreams own its connections
 * @param framing how messages are cut
 * @param frameBytesMax no message is longer, prefix and delimiter included; ignored with raw
 *     framing
 * @param idleTimeoutNs a connection on which no byte moved either way for this long is closed; 0:
 *     never
 * @param age how old its connections may become
 */
public record ListenerOptions(
    String name,
    String pool,
    Framing framing,
    int frameBytesMax,
    long idleTimeoutNs,
    AgeOptions age) {
  /** Without a limit of age. */
  public ListenerOptions(
      String name, String pool, Framing framing, int frameBytesMax, long idleTimeoutNs) {
    this(name, pool, framing, frameBytesMax, idleTimeoutNs, AgeOptions.OFF);
  }
}
