/**
 * How clients of registries reach them: one gRPC channel at a time to one of several servers. What
 * is said on it belongs to the package of each kind of registry.
 */
@NullMarked
package dev.waymark.registry.client;

import org.jspecify.annotations.NullMarked;
