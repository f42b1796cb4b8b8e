package dev.waymark.tools.directory.xds;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.Catalog.Entry;
import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import dev.waymark.registry.LoadReport;
import dev.waymark.xds.proto.ClusterLoadAssignment;
import dev.waymark.xds.proto.HealthStatus;
import dev.waymark.xds.proto.LbEndpoint;
import dev.waymark.xds.proto.LocalityLbEndpoints;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class AssignmentsTest {
  private final List<String> unusable = new ArrayList<>();

  private ClusterLoadAssignment assignment(Entry... entries) {
    return Assignments.of(
        "echo", List.of(entries), (address, why) -> unusable.add(address + ": " + why));
  }

  private static Entry entry(
      String address, int weight, int priority, Map<String, String> labels, Health health) {
    return new Entry(
        new Instance("echo", address, weight, priority, labels, health, LoadReport.UNKNOWN), false);
  }

  private static Entry healthy(String address) {
    return entry(address, 1, 0, Map.of(), Health.HEALTHY);
  }

  private static List<String> addresses(LocalityLbEndpoints group) {
    return group.getLbEndpointsList().stream()
        .map(each -> each.getEndpoint().getAddress().getSocketAddress())
        .map(socket -> socket.getAddress() + "|" + socket.getPortValue())
        .toList();
  }

  @Test
  void instance_hasItsWeightLabelsAndZone() {
    ClusterLoadAssignment made =
        assignment(
            entry("10.0.0.1:80", 7, 0, Map.of("zone", "eu", "version", "2"), Health.HEALTHY));
    assertThat(made.getClusterName()).isEqualTo("echo");
    LocalityLbEndpoints group = made.getEndpoints(0);
    assertThat(group.getLocality().getZone()).isEqualTo("eu");
    assertThat(group.getLoadBalancingWeight().getValue()).isEqualTo(7);
    LbEndpoint endpoint = group.getLbEndpoints(0);
    assertThat(endpoint.getLoadBalancingWeight().getValue()).isEqualTo(7);
    assertThat(endpoint.getHealthStatus()).isEqualTo(HealthStatus.HEALTHY);
    var labels = endpoint.getMetadata().getFilterMetadataOrThrow("waymark").getFieldsMap();
    assertThat(Objects.requireNonNull(labels.get("version")).getStringValue()).isEqualTo("2");
    assertThat(Objects.requireNonNull(labels.get("zone")).getStringValue()).isEqualTo("eu");
  }

  @Test
  void health_isMapped_andADampedInstanceIsTheLastResort() {
    var damped = new Entry(healthy("10.0.0.4:80").instance(), true);
    ClusterLoadAssignment made =
        assignment(
            healthy("10.0.0.1:80"),
            entry("10.0.0.2:80", 1, 0, Map.of(), Health.DRAINING),
            entry("10.0.0.3:80", 1, 0, Map.of(), Health.UNHEALTHY),
            damped);
    assertThat(made.getEndpoints(0).getLbEndpointsList())
        .extracting(LbEndpoint::getHealthStatus)
        .containsExactly(
            HealthStatus.HEALTHY,
            HealthStatus.DRAINING,
            HealthStatus.UNHEALTHY,
            HealthStatus.DEGRADED);
  }

  @Test
  void priorities_haveNoGaps_andALocalityBelongsToOne() {
    ClusterLoadAssignment made =
        assignment(
            entry("10.0.0.1:80", 1, 50, Map.of("zone", "a"), Health.HEALTHY),
            entry("10.0.0.2:80", 1, 3, Map.of("zone", "a"), Health.HEALTHY),
            entry("10.0.0.3:80", 1, 3, Map.of("zone", "b"), Health.HEALTHY));
    assertThat(made.getEndpointsList())
        .extracting(LocalityLbEndpoints::getPriority)
        .containsExactly(0, 0, 1);
    assertThat(made.getEndpointsList())
        .extracting(each -> each.getLocality().getZone() + "/" + each.getLocality().getSubZone())
        .containsExactly("a/", "b/", "a/priority-1");
  }

  @Test
  void zone_weighsWhatIsHealthyInIt() {
    ClusterLoadAssignment made =
        assignment(
            entry("10.0.0.1:80", 100, 0, Map.of("zone", "a"), Health.HEALTHY),
            entry("10.0.0.2:80", 100, 0, Map.of("zone", "a"), Health.UNHEALTHY),
            entry("10.0.0.3:80", 100, 0, Map.of("zone", "b"), Health.UNHEALTHY));
    assertThat(made.getEndpointsList())
        .extracting(each -> each.getLoadBalancingWeight().getValue())
        .containsExactly(100, 1);
  }

  @Test
  void address_isOneSpelling_andComesOnce() {
    ClusterLoadAssignment made = assignment(healthy("[::1]:80"), healthy("[0:0::1]:80"));
    assertThat(addresses(made.getEndpoints(0))).containsExactly("0:0:0:0:0:0:0:1|80");
    assertThat(unusable).containsExactly("[0:0::1]:80: another instance has the same address");
  }

  @Test
  void address_thatClientsWouldRefuse_costsOnlyItself() {
    ClusterLoadAssignment made =
        assignment(
            healthy("10.0.0.1:80"),
            healthy("db.internal:80"),
            healthy("10.0.0.1:0"),
            healthy("10.0.0.1:65536"),
            healthy("[fe80::1%eth0]:80"),
            healthy("::1:80"),
            healthy(":80"),
            healthy("10.0.0.1"),
            healthy(""),
            healthy("unix:/run/echo"));
    assertThat(addresses(made.getEndpoints(0))).containsExactly("10.0.0.1|80");
    assertThat(unusable)
        .hasSize(9)
        .contains(
            "db.internal:80: it has a host name; endpoints in xDS have IP addresses",
            "unix:/run/echo: it is a Unix socket, and other instances of the service are not");
  }

  @Test
  void sockets_ofUnix_arePipesIfThereIsNothingElse() {
    ClusterLoadAssignment made = assignment(healthy("unix:/run/a"), healthy("unix:/run/b"));
    assertThat(made.getEndpoints(0).getLbEndpointsList())
        .extracting(each -> each.getEndpoint().getAddress().getPipe().getPath())
        .containsExactly("/run/a", "/run/b");
    assertThat(unusable).isEmpty();
  }

  @Test
  void load_makesNoOtherAssignment_andAnythingElseDoes() {
    Entry plain = healthy("10.0.0.1:80");
    Instance busy =
        new Instance(
            "echo",
            "10.0.0.1:80",
            1,
            0,
            Map.of(),
            Health.HEALTHY,
            new LoadReport(0.5, 0, 0, 0, 0, 0));
    assertThat(Assignments.isSame(List.of(plain), List.of(new Entry(busy, false)))).isTrue();
    assertThat(Assignments.isSame(List.of(plain), List.of(new Entry(busy, true)))).isFalse();
    assertThat(Assignments.isSame(List.of(plain), List.of())).isFalse();
    for (Entry other :
        List.of(
            healthy("10.0.0.2:80"),
            entry("10.0.0.1:80", 2, 0, Map.of(), Health.HEALTHY),
            entry("10.0.0.1:80", 1, 1, Map.of(), Health.HEALTHY),
            entry("10.0.0.1:80", 1, 0, Map.of("a", "b"), Health.HEALTHY),
            entry("10.0.0.1:80", 1, 0, Map.of(), Health.DRAINING))) {
      assertThat(Assignments.isSame(List.of(plain), List.of(other))).isFalse();
    }
  }
}
