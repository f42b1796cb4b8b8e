package dev.waymark.upstreams.discovery;

import dev.waymark.config.PoolConfig.Endpoint;
import java.util.List;

/**
 * What matters of an EndpointSlice of Kubernetes. Immutable.
 *
 * @param name of the slice, unique in its namespace
 * @param ready the upstreams that can be used, in its order
 * @param endpointCount all endpoints with an IP address, also those that are not ready
 * @param hasPort whether it has the port that is looked for
 */
record EndpointSlice(String name, List<Endpoint> ready, int endpointCount, boolean hasPort) {
  EndpointSlice {
    ready = List.copyOf(ready);
  }
}
