/**
 * Every test class ends with a look for buffers that were dropped without being released; one fails
 * the build.
 */
@NullMarked
package dev.waymark.leaks;

import org.jspecify.annotations.NullMarked;
