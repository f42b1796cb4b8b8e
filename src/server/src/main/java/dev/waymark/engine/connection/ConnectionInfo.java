package dev.waymark.engine.connection;

import dev.waymark.protocol.Mark;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.ProxyFacts;
import dev.waymark.protocol.ResumeState;
import dev.waymark.protocol.TlsFacts;
import org.jspecify.annotations.Nullable;

/**
 * What is known about a connection from its accept on. Immutable.
 *
 * @param mark its ID
 * @param proxy what a proxy in front of the bridge said about the client; null if there is none
 * @param tls what the listener negotiated with the client; null without TLS
 * @param acceptedNs as {@code Shard.elapsedNs}
 * @param acceptedUnixMs by the wall clock
 */
public record ConnectionInfo(
    Mark mark,
    ListenerOptions listener,
    String clientAddress,
    String localAddress,
    @Nullable ProxyFacts proxy,
    @Nullable TlsFacts tls,
    long acceptedNs,
    long acceptedUnixMs) {
  /**
   * Converts to the wall clock, by the time that has passed since the accept.
   *
   * @param elapsedNs as {@code Shard.elapsedNs}
   */
  public long unixMs(long elapsedNs) {
    return acceptedUnixMs + (elapsedNs - acceptedNs) / 1_000_000;
  }

  /** Returns the Open for a new owner. */
  Open open(long limit, @Nullable ResumeState resumeState) {
    return new Open(
        mark.toString(),
        listener.name(),
        clientAddress,
        localAddress,
        acceptedUnixMs,
        listener.framing(),
        listener.frameBytesMax(),
        limit,
        proxy,
        tls,
        resumeState);
  }
}
