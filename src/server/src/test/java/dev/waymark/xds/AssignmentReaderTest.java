package dev.waymark.xds;

import static dev.waymark.xds.Assignment.endpoint;
import static dev.waymark.xds.Assignment.group;
import static dev.waymark.xds.Assignment.metadata;
import static dev.waymark.xds.Assignment.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.xds.proto.Address;
import dev.waymark.xds.proto.HealthStatus;
import dev.waymark.xds.proto.LbEndpoint;
import dev.waymark.xds.proto.LocalityLbEndpoints;
import dev.waymark.xds.proto.Pipe;
import dev.waymark.xds.proto.SocketAddress;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AssignmentReaderTest {
  private static final HealthStatus HEALTHY = HealthStatus.HEALTHY;

  private static List<Endpoint> read(LocalityLbEndpoints.Builder... groups)
      throws BadAssignmentException {
    return known(groups).stream()
        .filter(KnownEndpoint::isUpstream)
        .map(KnownEndpoint::endpoint)
        .toList();
  }

  private static List<KnownEndpoint> known(LocalityLbEndpoints.Builder... groups)
      throws BadAssignmentException {
    return AssignmentReader.read(Assignment.ofGroups("echo", groups));
  }

  /** Upstreams as ADDRESS=WEIGHT@PRIORITY. */
  private static List<String> weights(LocalityLbEndpoints.Builder... groups)
      throws BadAssignmentException {
    return read(groups).stream()
        .map(each -> each.address() + "=" + each.weight() + "@" + each.priority())
        .toList();
  }

  @Test
  void health_decidesWhatIsAnUpstream() throws BadAssignmentException {
    LocalityLbEndpoints.Builder group = group("", 0, 2);
    for (HealthStatus health : HealthStatus.values()) {
      if (health != HealthStatus.UNRECOGNIZED) {
        group.addLbEndpoints(endpoint("10.0.0." + health.getNumber() + ":80", 1, health));
      }
    }
    group.addLbEndpoints(endpoint("10.0.0.99:80", 1, HEALTHY).setHealthStatusValue(99));
    assertThat(weights(group))
        .as("UNKNOWN, HEALTHY, and DEGRADED behind all priorities")
        .containsExactly("10.0.0.0:80=1@2", "10.0.0.1:80=1@2", "10.0.0.5:80=1@131");
  }

  @Test
  void weights_ofEndpoints_countIfLocalitiesHaveNone() throws BadAssignmentException {
    assertThat(
            weights(
                group("a", 0, 0, endpoint("10.0.0.1:80", 3, HEALTHY)),
                group("b", 0, 0, endpoint("10.0.0.2:80", 0, HEALTHY))))
        .containsExactly("10.0.0.1:80=3@0", "10.0.0.2:80=1@0");
  }

  @Test
  void weight_ofALocality_isDividedByItsEndpoints() throws BadAssignmentException {
    assertThat(
            weights(
                group(
                    "a",
                    90,
                    0,
                    endpoint("10.0.0.1:80", 1, HEALTHY),
                    endpoint("10.0.0.2:80", 2, HEALTHY)),
                group("b", 10, 0, endpoint("10.0.0.3:80", 7, HEALTHY)),
                group("c", 0, 0, endpoint("10.0.0.4:80", 9, HEALTHY))))
        .as("without a weight, c gets nothing")
        .containsExactly("10.0.0.1:80=30@0", "10.0.0.2:80=60@0", "10.0.0.3:80=10@0");
  }

  @Test
  void weights_outOfRange_areScaled_andKeepTheirProportions() throws BadAssignmentException {
    assertThat(
            weights(
                group("a", 1, 0, endpoint("10.0.0.1:80", 1, HEALTHY)),
                group(
                    "b",
                    1,
                    0,
                    endpoint("10.0.0.2:80", 1, HEALTHY),
                    endpoint("10.0.0.3:80", 1, HEALTHY),
                    endpoint("10.0.0.4:80", 2, HEALTHY))))
        .containsExactly(
            "10.0.0.1:80=1000@0", "10.0.0.2:80=250@0", "10.0.0.3:80=250@0", "10.0.0.4:80=500@0");
    assertThat(
            weights(
                group(
                    "",
                    0,
                    0,
                    endpoint("10.0.0.1:80", -1, HEALTHY).setLoadBalancingWeight(UInt32Value.of(-1)),
                    endpoint("10.0.0.2:80", 1, HEALTHY))))
        .containsExactly("10.0.0.1:80=1000@0", "10.0.0.2:80=1@0");
  }

  @Test
  void priorities_areKept_andAnAddressIsTheFirstOfSeveral() throws BadAssignmentException {
    assertThat(
            weights(
                group("a", 0, 5, endpoint("10.0.0.1:80", 9, HEALTHY)),
                group(
                    "b",
                    0,
                    0,
                    endpoint("10.0.0.1:80", 2, HEALTHY),
                    endpoint("10.0.0.2:80", 2, HealthStatus.DEGRADED)),
                group("b", 0, 128, endpoint("10.0.0.2:80", 4, HEALTHY))))
        .containsExactly("10.0.0.1:80=2@0", "10.0.0.2:80=4@128");
  }

  @Test
  void labels_areTextsOfTheMetadata_andTheZone() throws BadAssignmentException {
    LbEndpoint.Builder endpoint =
        endpoint("10.0.0.1:80", 1, HEALTHY)
            .setMetadata(
                metadata(
                    Map.of(
                        "envoy.lb",
                        Map.of(
                            "version", text("1"),
                            "stage", text("canary"),
                            "number", Value.newBuilder().setNumberValue(7).build(),
                            "not a label", text("x"),
                            "long", text("x".repeat(254)),
                            "control", text("\n")),
                        "waymark",
                        Map.of("version", text("2"), "zone", text("lost")))));
    assertThat(read(group("eu-1", 0, 0, endpoint)).getFirst().labels())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("version", "2", "stage", "canary", "zone", "eu-1"));
    assertThat(read(group("", 0, 0, endpoint)).getFirst().labels()).containsEntry("zone", "lost");
  }

  @Test
  void addresses_haveOneSpelling() throws BadAssignmentException {
    LbEndpoint.Builder pipe =
        endpoint(Address.newBuilder().setPipe(Pipe.newBuilder().setPath("/run/echo")));
    assertThat(
            read(
                group(
                    "",
                    0,
                    0,
                    endpoint("::1:80", 1, HEALTHY),
                    endpoint("0:0:0:0:0:0:0:2:80", 1, HEALTHY),
                    endpoint("Db.Internal:80", 1, HEALTHY),
                    pipe)))
        .extracting(Endpoint::address)
        .containsExactly("[::1]:80", "[::2]:80", "db.internal:80", "unix:/run/echo");
  }

  @Test
  void endpoint_thatIsNoUpstream_isKnown_andSaysWhy() throws BadAssignmentException {
    assertThat(
            known(
                group(
                    "a",
                    1,
                    0,
                    endpoint("10.0.0.1:80", 1, HEALTHY),
                    endpoint("10.0.0.2:80", 5000, HealthStatus.DRAINING),
                    endpoint("10.0.0.3:80", 1, HealthStatus.TIMEOUT)),
                group("b", 0, 0, endpoint("10.0.0.4:80", 1, HEALTHY)),
                group("b", 0, 7, endpoint("10.0.0.3:80", 1, HEALTHY))))
        .extracting(each ->
            each.endpoint().address()
                + " "
                + each.endpoint().weight()
                + " "
                + each.health()
                + " "
                + each.withheld())
        .containsExactly(
            "10.0.0.1:80 1 healthy ",
            "10.0.0.2:80 1000 draining the control plane says: draining",
            "10.0.0.3:80 1 healthy ",
            "10.0.0.4:80 1 healthy its locality has no weight, and others of its priority have one");
  }

  @Test
  void assignment_withoutEndpoints_isAnEmptyList() throws BadAssignmentException {
    assertThat(read()).isEmpty();
    assertThat(read(group("a", 1, 0))).isEmpty();
  }

  @Test
  void whatCannotBeUsed_isRefused_andNamed() {
    refuses(
        "endpoints[0].lb_endpoints[0] has the address 10.0.0.1:0",
        endpoint("10.0.0.1:0", 1, HEALTHY));
    refuses("port 1 to 65535", endpoint("10.0.0.1:65536", 1, HEALTHY));
    refuses("10.0.0.1:4294967295", endpoint("10.0.0.1:4294967295", 1, HEALTHY));
    refuses("has the address", endpoint("10.0.0.300:80", 1, HEALTHY));
    refuses("has the address", endpoint("0.0.0.0:80", 1, HEALTHY));
    refuses("has no endpoint of its own", LbEndpoint.newBuilder().setEndpointName("x"));
    refuses("has no address of a known kind", endpoint(Address.newBuilder()));
    refuses(
        "expected: unix: and an absolute path",
        endpoint(Address.newBuilder().setPipe(Pipe.newBuilder().setPath("@abstract"))));
    refuses(
        "has no port number",
        endpoint(
            Address.newBuilder()
                .setSocketAddress(
                    SocketAddress.newBuilder().setAddress("10.0.0.1").setNamedPort("grpc"))));
    refuses(
        "is not of TCP",
        endpoint(
            Address.newBuilder()
                .setSocketAddress(
                    SocketAddress.newBuilder()
                        .setAddress("10.0.0.1")
                        .setPortValue(80)
                        .setProtocol(SocketAddress.Protocol.UDP))));
    refuses("has the address", endpoint("10.0.0.1:0", 1, HealthStatus.UNHEALTHY));
    assertThatThrownBy(() -> read(group("", 0, 0), group("", 0, -1)))
        .hasMessageContaining("endpoints[1] has priority 4294967295");
    LocalityLbEndpoints.Builder many = group("", 0, 0);
    for (int i = 0; i <= AssignmentReader.ENDPOINTS_MAX; i++) {
      many.addLbEndpoints(endpoint("10.0.0.1:80", 1, HEALTHY));
    }
    assertThatThrownBy(() -> read(many)).hasMessageContaining("10001 endpoints");
  }

  private static void refuses(String message, LbEndpoint.Builder endpoint) {
    assertThatThrownBy(() -> read(group("", 0, 0, endpoint)))
        .isInstanceOf(BadAssignmentException.class)
        .hasMessageContaining(message);
  }
}
