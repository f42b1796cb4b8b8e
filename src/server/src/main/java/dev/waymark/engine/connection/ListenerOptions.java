package dev.waymark.engine.connection;

import dev.waymark.protocol.Framing;
import java.util.Set;

/**
 * What the engine has to know about a listener. Immutable.
 *
 * @param name unique in the bridge; a metric label
 * @param pool the name of the pool whose upstreams own its connections
 * @param framing how messages are cut
 * @param frameBytesMax the longest message, prefix and delimiter included; ignored with raw framing
 * @param idleTimeoutNs a connection on which no byte moved either way for this long is closed; 0:
 *     never
 * @param firstByteTimeoutNs a connection whose client has sent nothing for this long from its start
 *     is closed; 0: never
 * @param pushFrom names of other pools whose upstreams may push to its connections (rule 6)
 * @param age how old its connections may become
 */
public record ListenerOptions(
    String name,
    String pool,
    Framing framing,
    int frameBytesMax,
    long idleTimeoutNs,
    long firstByteTimeoutNs,
    Set<String> pushFrom,
    AgeOptions age) {
  /** Without pushes from other pools, an age limit, or a limit for the first byte. */
  public ListenerOptions(
      String name, String pool, Framing framing, int frameBytesMax, long idleTimeoutNs) {
    this(name, pool, framing, frameBytesMax, idleTimeoutNs, 0, Set.of(), AgeOptions.OFF);
  }

  public ListenerOptions {
    pushFrom = Set.copyOf(pushFrom);
  }

  /** Whether upstreams of this pool may push to its connections, and hear of them (rule 6). */
  public boolean isOpenTo(String poolName) {
    return pool.equals(poolName) || pushFrom.contains(poolName);
  }
}
