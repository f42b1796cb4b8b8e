/**
 * Names into addresses: literals, the hosts file, DNS, and what is dialled for the address of an
 * upstream or a registry. Confined to the control thread.
 */
@NullMarked
package dev.waymark.upstreams.names;

import org.jspecify.annotations.NullMarked;
