/**
 * Helpers shared by the tests of all modules. {@link dev.waymark.testing.LeakCheck} fails a test
 * run that dropped a buffer without releasing it. {@link dev.waymark.testing.RawServer} and {@link
 * dev.waymark.testing.Frames} write HTTP/2 byte by byte.
 */
@NullMarked
package dev.waymark.testing;

import org.jspecify.annotations.NullMarked;
