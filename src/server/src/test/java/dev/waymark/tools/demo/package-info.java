/** Tests of the demo, most of which start no process. */
@NullMarked
package dev.waymark.tools.demo;

import org.jspecify.annotations.NullMarked;
