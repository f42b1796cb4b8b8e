/**
 * Where the upstreams of a pool are: a source for each kind of target, and the names in addresses.
 *
 * <p>Out of scope: how the upstreams are. Everything is confined to the control thread unless it
 * says otherwise. Start at {@link dev.waymark.upstreams.discovery.Discovery}.
 */
@NullMarked
package dev.waymark.upstreams.discovery;

import org.jspecify.annotations.NullMarked;
