/**
 * The kit to write an upstream: the server side of Attach, with windows, grants, commits, epochs
 * and batching handled inside. Not inside: what to answer, and the gRPC server that carries the
 * service.
 *
 * <p>One lock per lane; callbacks run under it, one at a time per lane. A {@link
 * dev.waymark.upstream.UpstreamConnection} may be used from any thread. Start at {@link
 * dev.waymark.upstream.Upstream}. The rules are in docs/protocol.md.
 */
@NullMarked
package dev.waymark.upstream;

import org.jspecify.annotations.NullMarked;
