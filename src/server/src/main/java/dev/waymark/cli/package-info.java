/**
 * The commands, one class each, and how the parts are put together. Not inside: anything that
 * another package could do alone. Start at {@link dev.waymark.cli.Main}.
 */
@NullMarked
package dev.waymark.cli;

import org.jspecify.annotations.NullMarked;
