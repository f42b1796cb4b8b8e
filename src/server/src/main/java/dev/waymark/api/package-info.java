/**
 * What other programs ask of a running bridge: the admin port's pages, and later the control
 * service. It sees the process through {@link dev.waymark.api.Operations}, which {@code bridge}
 * implements.
 *
 * <p>Out of scope: HTTP itself (see {@link dev.waymark.api.http}), metrics and the log, and the
 * state that is shown. Thread-safe. Start at {@link dev.waymark.api.AdminServer}.
 */
@NullMarked
package dev.waymark.api;

import org.jspecify.annotations.NullMarked;
