/** The demo's parts that need no process. */
@NullMarked
package dev.waymark.tools.demo;

import org.jspecify.annotations.NullMarked;
