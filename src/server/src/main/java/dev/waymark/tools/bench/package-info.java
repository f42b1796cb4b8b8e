/**
 * {@code waymark bench}: opens connections to an echo server, checks every byte that comes back,
 * and measures. Out of scope: the bridge, of which bench knows nothing but an address. Each worker
 * is an event loop; the thread that calls {@link dev.waymark.tools.bench.Bench#run} keeps the time.
 * Start there.
 */
@NullMarked
package dev.waymark.tools.bench;

import org.jspecify.annotations.NullMarked;
