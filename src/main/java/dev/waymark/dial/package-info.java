/**
 * How upstreams are dialled, the same way for lanes and health Watches: address, authority, and
 * what goes wrong before gRPC has a say. Not inside: what travels on the channel, retries, time.
 * Start at {@link dev.waymark.dial.Dialler}.
 */
@NullMarked
package dev.waymark.dial;

import org.jspecify.annotations.NullMarked;
