/**
 * The registered instances as xDS, for proxyless gRPC clients, for Envoy, and for whoever else
 * reads endpoints from a control plane: an Aggregated Discovery Service over a {@link
 * dev.waymark.registry.Catalog}, state of the world and incremental. Start at {@link
 * dev.waymark.tools.directory.xds.AdsService}. Everything is confined to one event loop, that of
 * the gRPC server, which has to run with a direct executor.
 */
@NullMarked
package dev.waymark.tools.directory.xds;

import org.jspecify.annotations.NullMarked;
