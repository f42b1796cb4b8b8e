/**
 * Who may connect to a listener, and how often: networks, connections and accepts per source, the
 * pace of accepts in all. Pure: no sockets, no clock, no files. Out of scope: how a client is
 * turned away. Start at {@link dev.waymark.net.admission.Admission}. Why it is built like this:
 * docs/decisions/0041.
 */
@NullMarked
package dev.waymark.net.admission;

import org.jspecify.annotations.NullMarked;
