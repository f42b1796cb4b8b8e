package dev.waymark.tools.directory.xds;

import com.google.protobuf.Struct;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import dev.waymark.registry.Catalog.Entry;
import dev.waymark.registry.Instance;
import dev.waymark.xds.proto.Address;
import dev.waymark.xds.proto.ClusterLoadAssignment;
import dev.waymark.xds.proto.Endpoint;
import dev.waymark.xds.proto.HealthStatus;
import dev.waymark.xds.proto.LbEndpoint;
import dev.waymark.xds.proto.Locality;
import dev.waymark.xds.proto.LocalityLbEndpoints;
import dev.waymark.xds.proto.Metadata;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * Instances of a service as endpoints of a cluster. Clients refuse a whole assignment for one
 * endpoint that they do not like, so it only has what all of them take:
 *
 * <ul>
 *   <li>IP addresses, each once. Sockets of Unix only if the service has nothing else: gRPC knows
 *       none.
 *   <li>Priorities without gaps from 0 (gRFC A27).
 *   <li>A locality and a weight for each group of endpoints, without which gRPC ignores or refuses
 *       them. A locality belongs to one priority, since grpc-java keeps one group for each: its
 *       sub-zone has the number of the priority if that is not 0.
 * </ul>
 *
 * <p>Stateless.
 */
final class Assignments {
  /** The name in {@code filter_metadata} under which the labels are. */
  static final String METADATA = "waymark";

  private static final String ZONE = "zone";

  private Assignments() {}

  /** That of a service without endpoints. */
  static ClusterLoadAssignment empty(String service) {
    return ClusterLoadAssignment.newBuilder().setClusterName(service).build();
  }

  /**
   * @param onUnusable hears of each instance that clients could not use, by its address, and why
   */
  static ClusterLoadAssignment of(
      String service, List<Entry> entries, BiConsumer<String, String> onUnusable) {
    Map<Integer, Map<String, List<LbEndpoint>>> groups = new TreeMap<>();
    usable(entries, onUnusable)
        .forEach((address, entry) ->
            groups
                .computeIfAbsent(entry.instance().priority(), _ -> new TreeMap<>())
                .computeIfAbsent(
                    entry.instance().labels().getOrDefault(ZONE, ""), _ -> new ArrayList<>())
                .add(endpoint(address, entry)));
    ClusterLoadAssignment.Builder assignment =
        ClusterLoadAssignment.newBuilder().setClusterName(service);
    int priority = 0;
    for (Map<String, List<LbEndpoint>> zones : groups.values()) {
      int number = priority++;
      zones.forEach((zone, endpoints) -> assignment.addEndpoints(group(number, zone, endpoints)));
    }
    return assignment.build();
  }

  /** By address, in the order of the entries. */
  private static Map<Address, Entry> usable(
      List<Entry> entries, BiConsumer<String, String> onUnusable) {
    Map<Address, Entry> sockets = new LinkedHashMap<>();
    Map<Address, Entry> pipes = new LinkedHashMap<>();
    for (Entry entry : entries) {
      InstanceAddress read = InstanceAddress.read(entry.instance().address());
      if (!read.isUsable()) {
        onUnusable.accept(entry.instance().address(), read.problem());
      } else if ((read.isPipe() ? pipes : sockets).putIfAbsent(read.address(), entry) != null) {
        onUnusable.accept(entry.instance().address(), "another instance has the same address");
      }
    }
    if (sockets.isEmpty()) {
      return pipes;
    }
    for (Entry entry : pipes.values()) {
      onUnusable.accept(
          entry.instance().address(),
          "it is a Unix socket, and other instances of the service are not");
    }
    return sockets;
  }

  private static LbEndpoint endpoint(Address address, Entry entry) {
    Instance instance = entry.instance();
    LbEndpoint.Builder endpoint =
        LbEndpoint.newBuilder()
            .setEndpoint(Endpoint.newBuilder().setAddress(address))
            .setHealthStatus(health(entry))
            .setLoadBalancingWeight(UInt32Value.of(instance.weight()));
    if (!instance.labels().isEmpty()) {
      Struct.Builder labels = Struct.newBuilder();
      instance
          .labels()
          .forEach((name, value) ->
              labels.putFields(name, Value.newBuilder().setStringValue(value).build()));
      endpoint.setMetadata(Metadata.newBuilder().putFilterMetadata(METADATA, labels.build()));
    }
    return endpoint.build();
  }

  /**
   * A damped instance is better than none: gRPC does not use it, and Envoy does as a last resort.
   */
  private static HealthStatus health(Entry entry) {
    return switch (entry.instance().health()) {
      case HEALTHY -> entry.isDamped() ? HealthStatus.DEGRADED : HealthStatus.HEALTHY;
      case DRAINING -> HealthStatus.DRAINING;
      case UNHEALTHY -> HealthStatus.UNHEALTHY;
    };
  }

  private static LocalityLbEndpoints group(int priority, String zone, List<LbEndpoint> endpoints) {
    Locality.Builder locality = Locality.newBuilder().setZone(zone);
    if (priority > 0) {
      locality.setSubZone("priority-" + priority);
    }
    return LocalityLbEndpoints.newBuilder()
        .setLocality(locality)
        .setPriority(priority)
        .setLoadBalancingWeight(UInt32Value.of(weight(endpoints)))
        .addAllLbEndpoints(endpoints)
        .build();
  }

  /**
   * What its healthy endpoints weigh, so that a zone in which few are healthy does not get the work
   * of all.
   */
  private static int weight(List<LbEndpoint> endpoints) {
    int healthy =
        endpoints.stream()
            .filter(endpoint -> endpoint.getHealthStatus() == HealthStatus.HEALTHY)
            .mapToInt(endpoint -> endpoint.getLoadBalancingWeight().getValue())
            .sum();
    return Math.max(1, healthy);
  }

  /** Whether both lists make the same assignment: load is not part of it. */
  static boolean isSame(List<Entry> before, List<Entry> now) {
    if (before.size() != now.size()) {
      return false;
    }
    for (int i = 0; i < now.size(); i++) {
      if (!isSame(before.get(i), now.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isSame(Entry before, Entry now) {
    Instance a = before.instance();
    Instance b = now.instance();
    return before.isDamped() == now.isDamped()
        && a.health() == b.health()
        && a.weight() == b.weight()
        && a.priority() == b.priority()
        && a.address().equals(b.address())
        && a.labels().equals(b.labels());
  }
}
