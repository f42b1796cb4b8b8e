/**
 * The DNS side of a directory: an authoritative server for one zone, in which each registered
 * service is a name (docs/dns.md). Out of scope: recursion, zone transfers, DNSSEC, the command
 * line. Start at {@link dev.waymark.tools.directory.dns.DnsServer}; what is answered is decided by
 * {@link dev.waymark.tools.directory.dns.Responder}, without sockets.
 *
 * <p>Messages are read and written here as bytes, not by Netty's codec: an answer repeats the
 * question byte for byte, whatever it is, records are kept as they are sent, and a broken query is
 * answered rather than thrown. The tests read the answers with Netty's codec.
 */
@NullMarked
package dev.waymark.tools.directory.dns;

import org.jspecify.annotations.NullMarked;
