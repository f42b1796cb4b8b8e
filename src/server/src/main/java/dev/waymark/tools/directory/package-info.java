/**
 * {@code waymark directory}: the registry of instances. One event loop runs everything but its
 * admin port: gRPC, the table, what is sent to watchers.
 */
@NullMarked
package dev.waymark.tools.directory;

import org.jspecify.annotations.NullMarked;
