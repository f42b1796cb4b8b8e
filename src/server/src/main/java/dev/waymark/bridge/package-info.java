/**
 * The process: how shards, pools, listeners, the admin port and limits are assembled, started,
 * reloaded and stopped.
 *
 * <p>Out of scope: flags and exit codes ({@code cli}), and anything that another package can do on
 * its own. Only {@code cli} imports it. Start at {@link dev.waymark.bridge.Bridge}.
 */
@NullMarked
package dev.waymark.bridge;

import org.jspecify.annotations.NullMarked;
