package dev.waymark.xds;

import dev.waymark.config.BadValueException;
import dev.waymark.config.ServiceAddress;
import dev.waymark.xds.Level.Member;
import dev.waymark.xds.proto.Address;
import dev.waymark.xds.proto.ClusterLoadAssignment;
import dev.waymark.xds.proto.LbEndpoint;
import dev.waymark.xds.proto.LocalityLbEndpoints;
import dev.waymark.xds.proto.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads an assignment of endpoints to a cluster (envoy.config.endpoint.v3).
 *
 * <ul>
 *   <li>HEALTHY and UNKNOWN endpoints are upstreams. DEGRADED ones come behind all priorities, as
 *       with Envoy: they get connections while none of the others serves. UNHEALTHY, DRAINING and
 *       TIMEOUT are no upstreams.
 *   <li>An address that is there several times is the first of those that may be used, by priority.
 *   <li>One endpoint that cannot be read spoils the assignment: it is refused as a whole, as the
 *       protocol has it.
 * </ul>
 *
 * <p>Stateless.
 */
final class AssignmentReader {
  static final int ENDPOINTS_MAX = 10_000;

  /** The highest priority (envoy.config.endpoint.v3.LocalityLbEndpoints). */
  private static final int PRIORITY_MAX = 128;

  private AssignmentReader() {}

  /**
   * Returns the endpoints, each once, in the order of their addresses.
   *
   * @throws BadAssignmentException naming the first thing that cannot be used
   */
  static List<KnownEndpoint> read(ClusterLoadAssignment assignment) throws BadAssignmentException {
    int count =
        assignment.getEndpointsList().stream()
            .mapToInt(LocalityLbEndpoints::getLbEndpointsCount)
            .sum();
    if (count > ENDPOINTS_MAX) {
      throw new BadAssignmentException(
          "it has " + count + " endpoints; at most " + ENDPOINTS_MAX + " are taken");
    }
    Map<Integer, Level> levels = new TreeMap<>();
    List<KnownEndpoint> withheld = new ArrayList<>();
    for (int i = 0; i < assignment.getEndpointsCount(); i++) {
      readGroup(assignment.getEndpoints(i), "endpoints[" + i + "]", levels, withheld);
    }
    Map<String, KnownEndpoint> endpoints = new TreeMap<>();
    levels.forEach((priority, level) -> {
      for (KnownEndpoint each : level.endpoints(priority)) {
        if (each.isUpstream()) {
          endpoints.putIfAbsent(each.endpoint().address(), each);
        } else {
          withheld.add(each);
        }
      }
    });
    withheld.forEach(each -> endpoints.putIfAbsent(each.endpoint().address(), each));
    return List.copyOf(endpoints.values());
  }

  /** Adds the endpoints of a locality to the level of its priority. */
  private static void readGroup(
      LocalityLbEndpoints group,
      String where,
      Map<Integer, Level> levels,
      List<KnownEndpoint> withheld)
      throws BadAssignmentException {
    int priority = group.getPriority();
    if (priority < 0 || priority > PRIORITY_MAX) {
      throw new BadAssignmentException(
          where
              + " has priority "
              + Integer.toUnsignedString(priority)
              + "; 0 to 128 are possible");
    }
    List<Member> healthy = new ArrayList<>();
    List<Member> degraded = new ArrayList<>();
    for (int i = 0; i < group.getLbEndpointsCount(); i++) {
      LbEndpoint endpoint = group.getLbEndpoints(i);
      Member member = member(group, endpoint, where + ".lb_endpoints[" + i + "]");
      switch (endpoint.getHealthStatus()) {
        case HEALTHY, UNKNOWN -> healthy.add(member);
        case DEGRADED -> degraded.add(member);
        case UNHEALTHY, DRAINING, TIMEOUT, UNRECOGNIZED ->
            withheld.add(
                member.known(
                    (double) member.weight(),
                    priority,
                    "the control plane says: " + member.health()));
      }
    }
    long weight = Integer.toUnsignedLong(group.getLoadBalancingWeight().getValue());
    level(levels, priority).add(weight, healthy);
    level(levels, priority + PRIORITY_MAX + 1).add(weight, degraded);
  }

  private static Level level(Map<Integer, Level> levels, int priority) {
    return levels.computeIfAbsent(priority, _ -> new Level());
  }

  private static Member member(LocalityLbEndpoints group, LbEndpoint endpoint, String where)
      throws BadAssignmentException {
    if (!endpoint.hasEndpoint()) {
      throw new BadAssignmentException(where + " has no endpoint of its own");
    }
    long weight = Integer.toUnsignedLong(endpoint.getLoadBalancingWeight().getValue());
    return new Member(
        address(endpoint.getEndpoint().getAddress(), where),
        Math.max(1, weight),
        Labels.of(endpoint.getMetadata(), group.getLocality()),
        endpoint.getHealthStatus().name().toLowerCase(Locale.ROOT));
  }

  private static String address(Address address, String where) throws BadAssignmentException {
    String text =
        switch (address.getAddressCase()) {
          case PIPE -> "unix:" + address.getPipe().getPath();
          case SOCKET_ADDRESS -> socket(address.getSocketAddress(), where);
          case ADDRESS_NOT_SET ->
              throw new BadAssignmentException(where + " has no address of a known kind");
        };
    try {
      return ServiceAddress.read(text);
    } catch (BadValueException bad) {
      throw new BadAssignmentException(
          where + " has the address " + text + " (expected: " + bad.expected() + ")");
    }
  }

  private static String socket(SocketAddress socket, String where) throws BadAssignmentException {
    if (socket.getProtocol() != SocketAddress.Protocol.TCP) {
      throw new BadAssignmentException(where + " has an address that is not of TCP");
    }
    if (socket.getPortSpecifierCase() != SocketAddress.PortSpecifierCase.PORT_VALUE) {
      throw new BadAssignmentException(where + " has no port number");
    }
    String host = socket.getAddress();
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host)
        + ":"
        + Integer.toUnsignedString(socket.getPortValue());
  }
}
