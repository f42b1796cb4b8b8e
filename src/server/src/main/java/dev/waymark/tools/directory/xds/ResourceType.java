package dev.waymark.tools.directory.xds;

import com.google.protobuf.Descriptors.Descriptor;
import dev.waymark.xds.proto.Cluster;
import dev.waymark.xds.proto.ClusterLoadAssignment;
import dev.waymark.xds.proto.Listener;
import dev.waymark.xds.proto.RouteConfiguration;
import java.util.Arrays;
import java.util.Optional;

/**
 * The types of resources that are served, in the order in which their changes are told: clusters
 * and their endpoints before what leads to them ("Eventual consistency considerations" of the xDS
 * protocol).
 */
public enum ResourceType {
  CLUSTER(Cluster.getDescriptor(), true),
  ENDPOINTS(ClusterLoadAssignment.getDescriptor(), false),
  LISTENER(Listener.getDescriptor(), true),
  ROUTE(RouteConfiguration.getDescriptor(), false);

  private final String url;
  private final boolean isWholeSet;

  ResourceType(Descriptor message, boolean isWholeSet) {
    this.url = "type.googleapis.com/" + message.getFullName();
    this.isWholeSet = isWholeSet;
  }

  /** The type URL of requests, responses and resources. */
  public String url() {
    return url;
  }

  /**
   * Whether a response in state of the world has all resources, so that absence means removal, and
   * whether there is a wildcard: both hold for listeners and clusters only.
   */
  boolean isWholeSet() {
    return isWholeSet;
  }

  static Optional<ResourceType> of(String url) {
    return Arrays.stream(values()).filter(type -> type.url.equals(url)).findFirst();
  }
}
