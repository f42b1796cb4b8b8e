/**
 * A client of etcd v3, with just what registries need: the keys below a prefix are listed and
 * watched ({@link dev.waymark.etcd.EtcdWatch}), and kept while a lease lives ({@link
 * dev.waymark.etcd.EtcdPublisher}); the values of Go's package naming/endpoints ({@link
 * dev.waymark.etcd.NamingValue}). Everything is confined to the control thread unless it says
 * otherwise.
 *
 * <p>Out of scope: what the keys are for. The protocol is that of etcd 3.4 and later; {@code
 * proto/etcd} has the part that is used.
 */
@NullMarked
package dev.waymark.etcd;

import org.jspecify.annotations.NullMarked;
