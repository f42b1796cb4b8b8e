/**
 * What an operator sees: metrics, the admin port, the log. Not inside: the state itself, which
 * comes through {@link dev.waymark.admin.AdminState} and the suppliers of {@link
 * dev.waymark.admin.Metrics}. Thread-safe throughout. Start at {@link
 * dev.waymark.admin.AdminServer}.
 */
@NullMarked
package dev.waymark.admin;

import org.jspecify.annotations.NullMarked;
