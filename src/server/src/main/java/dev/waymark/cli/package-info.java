/**
 * The commands, one class each: parse, call, print, exit code. Out of scope: anything that another
 * package can do on its own. Start at {@link dev.waymark.cli.Main}.
 */
@NullMarked
package dev.waymark.cli;

import org.jspecify.annotations.NullMarked;
