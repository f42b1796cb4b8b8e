/**
 * The Java SDK for upstreams: the server side of Attach, with windows, commits, epochs and batching
 * handled inside. Not inside: what to answer, and the gRPC server that carries the service, which
 * may run on any transport of grpc-java.
 *
 * <p>One lock per lane; callbacks run under it, one at a time per lane. An {@link
 * dev.waymark.upstream.UpstreamConnection} may be used from any thread. Start at {@link
 * dev.waymark.upstream.Upstream}, or at docs/upstream-java.md; the rules are in docs/protocol.md.
 */
@NullMarked
package dev.waymark.upstream;

import org.jspecify.annotations.NullMarked;
