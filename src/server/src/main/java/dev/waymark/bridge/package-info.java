/**
 * The process: how shards, pools, listeners, the admin port and limits are put together, started,
 * reloaded and stopped.
 *
 * <p>Not inside: flags and exit codes (`cli`), and anything that another package can do alone. Only
 * `cli` imports it. Start at {@link dev.waymark.bridge.Bridge}.
 */
@NullMarked
package dev.waymark.bridge;

import org.jspecify.annotations.NullMarked;
