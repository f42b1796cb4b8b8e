package dev.waymark.engine.connection;

import dev.waymark.protocol.Mark;
import org.jspecify.annotations.Nullable;

/**
 * A connection as it is now, for operators. Immutable.
 *
 * @param upstream its owner; null while it waits for one
 * @param unconsumedBytes client bytes that the owner is not done with
 * @param queuedBytes reply bytes that the client's socket has not taken
 */
public record ConnectionStatus(
    Mark mark,
    String listener,
    String clientAddress,
    String localAddress,
    String pool,
    @Nullable String upstream,
    String phase,
    long acceptedUnixMs,
    long receivedBytes,
    long sentBytes,
    long unconsumedBytes,
    long queuedBytes) {}
