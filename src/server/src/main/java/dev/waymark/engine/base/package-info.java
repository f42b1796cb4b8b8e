/**
 * The basics that all state machines of the engine share: limits, counters, the time of an event
 * loop, and the deadline wheel.
 *
 * <p>Out of scope: anything that knows of connections, lanes or pools. Any package of the server
 * may import it. Records are immutable; counters are written by one shard's thread and read from
 * any; the rest is confined to one thread. Start at {@link dev.waymark.engine.base.Limits}.
 */
@NullMarked
package dev.waymark.engine.base;

import org.jspecify.annotations.NullMarked;
