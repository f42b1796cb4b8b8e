/**
 * How a service registers itself with directories: {@code waymark.v1.Registry.Register}, on any
 * gRPC channel. Start at {@link dev.waymark.upstream.registry.Registration}, or at
 * docs/upstream-java.md. Looking up what others have registered is not here.
 */
@NullMarked
package dev.waymark.upstream.registry;

import org.jspecify.annotations.NullMarked;
