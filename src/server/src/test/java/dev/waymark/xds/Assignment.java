package dev.waymark.xds;

import com.google.protobuf.Any;
import com.google.protobuf.Struct;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import dev.waymark.xds.proto.Address;
import dev.waymark.xds.proto.ClusterLoadAssignment;
import dev.waymark.xds.proto.Endpoint;
import dev.waymark.xds.proto.HealthStatus;
import dev.waymark.xds.proto.LbEndpoint;
import dev.waymark.xds.proto.Locality;
import dev.waymark.xds.proto.LocalityLbEndpoints;
import dev.waymark.xds.proto.Metadata;
import dev.waymark.xds.proto.SocketAddress;
import java.util.List;
import java.util.Map;

/** Assignments as a control plane writes them. */
public final class Assignment {
  private Assignment() {}

  /** One with these healthy endpoints in one locality, each as IP:PORT. */
  public static ClusterLoadAssignment of(String service, String... addresses) {
    LocalityLbEndpoints.Builder group = LocalityLbEndpoints.newBuilder();
    for (String address : addresses) {
      group.addLbEndpoints(endpoint(address, 1, HealthStatus.HEALTHY));
    }
    return ofGroups(service, group);
  }

  static ClusterLoadAssignment ofGroups(String service, LocalityLbEndpoints.Builder... groups) {
    ClusterLoadAssignment.Builder all = ClusterLoadAssignment.newBuilder().setClusterName(service);
    for (LocalityLbEndpoints.Builder group : groups) {
      all.addEndpoints(group);
    }
    return all.build();
  }

  /** As a resource of a response. */
  public static Any packed(ClusterLoadAssignment assignment) {
    return Any.newBuilder()
        .setTypeUrl(EdsService.TYPE_URL)
        .setValue(assignment.toByteString())
        .build();
  }

  static LocalityLbEndpoints.Builder group(
      String zone, int weight, int priority, LbEndpoint.Builder... endpoints) {
    LocalityLbEndpoints.Builder group =
        LocalityLbEndpoints.newBuilder()
            .setLocality(Locality.newBuilder().setZone(zone))
            .setPriority(priority);
    if (weight > 0) {
      group.setLoadBalancingWeight(UInt32Value.of(weight));
    }
    List.of(endpoints).forEach(group::addLbEndpoints);
    return group;
  }

  static LbEndpoint.Builder endpoint(String address, int weight, HealthStatus health) {
    int colon = address.lastIndexOf(':');
    LbEndpoint.Builder endpoint =
        endpoint(
                Address.newBuilder()
                    .setSocketAddress(
                        SocketAddress.newBuilder()
                            .setAddress(address.substring(0, colon))
                            .setPortValue(Integer.parseUnsignedInt(address.substring(colon + 1)))))
            .setHealthStatus(health);
    return weight > 0 ? endpoint.setLoadBalancingWeight(UInt32Value.of(weight)) : endpoint;
  }

  static LbEndpoint.Builder endpoint(Address.Builder address) {
    return LbEndpoint.newBuilder().setEndpoint(Endpoint.newBuilder().setAddress(address));
  }

  static Metadata metadata(Map<String, Map<String, Value>> groups) {
    Metadata.Builder metadata = Metadata.newBuilder();
    groups.forEach((name, fields) ->
        metadata.putFilterMetadata(name, Struct.newBuilder().putAllFields(fields).build()));
    return metadata.build();
  }

  static Value text(String text) {
    return Value.newBuilder().setStringValue(text).build();
  }
}
