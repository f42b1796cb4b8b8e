/**
 * End-to-end tests with separate processes and real sockets. Start at {@link
 * dev.waymark.e2e.Waymark}, which runs one command.
 */
@NullMarked
package dev.waymark.e2e;

import org.jspecify.annotations.NullMarked;
