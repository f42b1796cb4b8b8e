/**
 * Interfaces of a running bridge to other programs: the pages of the admin port, and later the
 * control service. They see the process through {@link dev.waymark.api.Operations}, which {@code
 * bridge} implements.
 *
 * <p>Out of scope: HTTP itself (see {@link dev.waymark.api.http}), metrics and the log, and the
 * state that is shown. Thread-safe. Start at {@link dev.waymark.api.AdminServer}.
 */
@NullMarked
package dev.waymark.api;

import org.jspecify.annotations.NullMarked;
