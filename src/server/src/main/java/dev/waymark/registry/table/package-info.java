/**
 * The table of a directory: who has registered what, until when, and what has changed. State
 * machines without I/O or a clock, confined to one thread.
 */
@NullMarked
package dev.waymark.registry.table;

import org.jspecify.annotations.NullMarked;
