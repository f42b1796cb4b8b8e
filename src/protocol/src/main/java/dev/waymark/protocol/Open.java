package dev.waymark.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What an upstream is told of a connection that is attached to it. Immutable.
 *
 * @param mark the connection's ID in text form
 * @param listener name of the listener that accepted it
 * @param clientAddress host:port of the client, IPv6 in brackets
 * @param localAddress host:port that the client dialled
 * @param acceptedUnixMs wall clock at accept
 * @param framing how messages are cut
 * @param frameBytesMax no message is longer; 0 with raw framing
 * @param limit the reply offset that the upstream may not pass
 * @param resumeState what the former owner left behind; null at the first Open of a connection
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
    @Nullable ResumeState resumeState) {}
