/**
 * {@code waymark bench}: connections that send bytes to whatever echoes them, check each one that
 * comes back, and measure. Out of scope: anything of the bridge; it knows the other side by its
 * address alone. Each worker is one event loop; the thread that called {@link
 * dev.waymark.tools.bench.Bench#run} keeps the time. Start there.
 */
@NullMarked
package dev.waymark.tools.bench;

import org.jspecify.annotations.NullMarked;
