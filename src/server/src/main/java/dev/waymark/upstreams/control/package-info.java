/**
 * The control thread: its loop and time, and how long it waits before it tries again. It computes
 * what shards then only read, and never handles a client's bytes.
 */
@NullMarked
package dev.waymark.upstreams.control;

import org.jspecify.annotations.NullMarked;
