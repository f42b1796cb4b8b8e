/**
 * How upstreams are dialled, the same way for lanes and health Watches: address, authority, and
 * what goes wrong before gRPC has a say. Out of scope: what travels on the channel, retries, time.
 * Start at {@link dev.waymark.net.dial.Dialler}.
 */
@NullMarked
package dev.waymark.net.dial;

import org.jspecify.annotations.NullMarked;
