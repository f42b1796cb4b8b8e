package dev.waymark.api;

import org.jspecify.annotations.Nullable;

/**
 * One open connection, for people. Immutable. The names of the components are the fields of the
 * JSON.
 *
 * @param client the client's address and port
 * @param local the address and port it came in by
 * @param upstream null while it waits for one
 * @param phase of its attachment, lower-case
 * @param openedUnixMs when it was accepted
 * @param receivedBytes from the client
 * @param sentBytes to the client
 * @param unconsumedBytes sent to the upstream and not yet consumed
 * @param queuedBytes replies that wait for the client's socket
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
