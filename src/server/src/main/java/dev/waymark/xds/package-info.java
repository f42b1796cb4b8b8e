/**
 * The client's side of xDS, as far as a bridge needs it: the endpoints of one service (EDS) from an
 * Aggregated Discovery Service, incremental or in state of the world. State machines and readers;
 * streams and time are {@code upstreams.discovery}'s. Start at {@link dev.waymark.xds.EdsService}.
 * {@code dev.waymark.xds.proto} is generated from src/main/proto/envoy.
 */
@NullMarked
package dev.waymark.xds;

import org.jspecify.annotations.NullMarked;
