/**
 * The program {@code waymark ctl}: asks the admin ports of bridges and directories, and prints what
 * they say. Knows them only by their HTTP and JSON. Flags belong to {@code cli}.
 */
@NullMarked
package dev.waymark.tools.ctl;

import org.jspecify.annotations.NullMarked;
