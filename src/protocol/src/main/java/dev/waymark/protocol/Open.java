package dev.waymark.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What the bridge tells an upstream about a connection that it attaches there. Immutable.
 *
 * @param mark the connection's ID in text form
 * @param listener the name of the listener that accepted it
 * @param clientAddress the client's host:port, IPv6 in brackets; as a proxy in front of the bridge
 *     named it, if one did
 * @param localAddress the bridge's host:port that the client, or the proxy, dialled
 * @param acceptedUnixMs when it was accepted, by the wall clock
 * @param framing how messages are cut
 * @param frameBytesMax the longest message; 0 with raw framing
 * @param limit the reply offset that the upstream may not pass
 * @param proxy what a proxy in front of the bridge said about the client; null if the listener
 *     expects none
 * @param tls what was negotiated with the client; null if the listener does not terminate TLS
 * @param resumeState what the former owner left behind; null in the first Open of a connection
 */
public record Open(
    String mark,
    String listener,
    String clientAddress,
    String localAddress,
    long acceptedUnixMs,
    Framing framing,
    int frameBytesMax,
    long limit,
    @Nullable ProxyFacts proxy,
    @Nullable TlsFacts tls,
    @Nullable ResumeState resumeState) {}
