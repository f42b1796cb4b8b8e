/**
 * Dials upstreams, in the same way for lanes and health Watches: address, authority, and diagnosis
 * of failures that gRPC would hide. Out of scope: what travels on the channel, retries, time. Start
 * at {@link dev.waymark.net.dial.Dialler}.
 */
@NullMarked
package dev.waymark.net.dial;

import org.jspecify.annotations.NullMarked;
