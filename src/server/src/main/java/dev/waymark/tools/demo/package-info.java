/**
 * {@code waymark demo}: runs a bridge and upstreams in separate processes, clients that check every
 * reply, and injects faults. Out of scope: anything that the bridge needs; the demo knows the other
 * programs only by their command lines and admin ports. Start at {@link
 * dev.waymark.tools.demo.Demo}.
 */
@NullMarked
package dev.waymark.tools.demo;

import org.jspecify.annotations.NullMarked;
