/**
 * The commands, one class each: parse, call, print, exit code. Does not contain anything that
 * another package could do alone. Start at {@link dev.waymark.cli.Main}.
 */
@NullMarked
package dev.waymark.cli;

import org.jspecify.annotations.NullMarked;
