/**
 * {@code waymark demo}: a bridge and upstreams as processes of their own, clients that check every
 * reply, and faults. Out of scope: anything that the bridge needs; it knows the other programs by
 * their command lines and admin ports alone. Start at {@link dev.waymark.tools.demo.Demo}.
 */
@NullMarked
package dev.waymark.tools.demo;

import org.jspecify.annotations.NullMarked;
