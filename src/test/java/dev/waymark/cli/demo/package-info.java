/** The demo's parts that need no process. */
@NullMarked
package dev.waymark.cli.demo;

import org.jspecify.annotations.NullMarked;
