package dev.waymark.upstreams.discovery;

import java.util.List;

/**
 * A part of the list of a service's EndpointSlices. Immutable.
 *
 * @param version the resource version of the whole list, from which a watch goes on
 * @param next the token with which the next page is asked for; empty after the last one
 */
record SlicePage(String version, String next, List<EndpointSlice> slices) {
  SlicePage {
    slices = List.copyOf(slices);
  }
}
