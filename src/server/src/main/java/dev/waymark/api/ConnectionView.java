package dev.waymark.api;

import org.jspecify.annotations.Nullable;

/**
 * One open connection, for display. Immutable. Component names are the field names of the JSON.
 *
 * @param client the client's address and port
 * @param local the local address and port that accepted it
 * @param upstream null while the connection waits for one
 * @param phase of its attachment, in lower case
 * @param openedUnixMs when it was accepted
 * @param receivedBytes from the client
 * @param sentBytes to the client
 * @param unconsumedBytes sent to the upstream and not yet consumed
 * @param queuedBytes reply bytes waiting for the client's socket
 */
public record ConnectionView(
    String mark,
    String listener,
    String client,
    String local,
    String pool,
    @Nullable String upstream,
    String phase,
    long openedUnixMs,
    long receivedBytes,
    long sentBytes,
    long unconsumedBytes,
    long queuedBytes) {}
