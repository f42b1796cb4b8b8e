/**
 * The Java SDK for upstreams: the server side of Attach. It handles windows, commits, epochs and
 * batching. You supply the handler and, unless you use {@link dev.waymark.upstream.UpstreamServer},
 * the gRPC server, on any grpc-java transport.
 *
 * <p>Each lane has a lock; callbacks run under it, one at a time per lane. An {@link
 * dev.waymark.upstream.UpstreamConnection} may be used from any thread. Start at {@link
 * dev.waymark.upstream.Upstream}, or at docs/upstream-java.md; the rules are in docs/protocol.md.
 */
@NullMarked
package dev.waymark.upstream;

import org.jspecify.annotations.NullMarked;
