/**
 * What the tests of all modules share. {@link dev.waymark.testing.LeakCheck} ends a test run with a
 * look for buffers that were dropped without being released; one fails the build. {@link
 * dev.waymark.testing.RawServer} and {@link dev.waymark.testing.Frames} are HTTP/2 byte by byte.
 */
@NullMarked
package dev.waymark.testing;

import org.jspecify.annotations.NullMarked;
