package dev.waymark.tools.directory.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.Status;
import dev.waymark.registry.Catalog.Entry;
import dev.waymark.registry.Instance;
import dev.waymark.registry.LoadReport;
import dev.waymark.tools.directory.xds.StreamStatus.TypeStatus;
import dev.waymark.xds.proto.Cluster;
import dev.waymark.xds.proto.ClusterLoadAssignment;
import dev.waymark.xds.proto.DiscoveryRequest;
import dev.waymark.xds.proto.DiscoveryResponse;
import dev.waymark.xds.proto.Listener;
import dev.waymark.xds.proto.Node;
import dev.waymark.xds.proto.RouteConfiguration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StateOfTheWorldTest {
  private final FakeCatalog catalog = new FakeCatalog().put("echo", "10.0.0.1:80");
  private final RecordedAdsEvents events = new RecordedAdsEvents();
  private final ResourceCache cache = new ResourceCache(catalog, events);
  private final StateOfTheWorld stream =
      new StateOfTheWorld(new Client("peer"), cache, new AdsLimits(10, 100, 10), events);

  StateOfTheWorldTest() {
    cache.onWhole();
    catalog.takeChanged();
  }

  private static DiscoveryRequest.Builder request(ResourceType type, String... names) {
    return DiscoveryRequest.newBuilder()
        .setNode(Node.newBuilder().setId("test"))
        .setTypeUrl(type.url())
        .addAllResourceNames(List.of(names));
  }

  private void send(DiscoveryRequest.Builder request) {
    assertThat(stream.onRequest(request.build())).isEmpty();
  }

  private DiscoveryResponse next() {
    return stream.next().orElseThrow();
  }

  private void ack(DiscoveryResponse response, String... names) {
    send(
        DiscoveryRequest.newBuilder()
            .setTypeUrl(response.getTypeUrl())
            .setVersionInfo(response.getVersionInfo())
            .setResponseNonce(response.getNonce())
            .addAllResourceNames(List.of(names)));
  }

  private void tell() {
    Set<String> changed = catalog.takeChanged();
    stream.onChanged(changed, cache.onChanged(changed));
  }

  private static List<String> names(DiscoveryResponse response) {
    List<String> names = new ArrayList<>();
    for (Any any : response.getResourcesList()) {
      assertThat(any.getTypeUrl()).isEqualTo(response.getTypeUrl());
      try {
        names.add(
            switch (ResourceType.of(any.getTypeUrl()).orElseThrow()) {
              case CLUSTER -> Cluster.parseFrom(any.getValue()).getName();
              case LISTENER -> Listener.parseFrom(any.getValue()).getName();
              case ROUTE -> RouteConfiguration.parseFrom(any.getValue()).getName();
              case ENDPOINTS -> {
                ClusterLoadAssignment read = ClusterLoadAssignment.parseFrom(any.getValue());
                int count =
                    read.getEndpointsList().stream().mapToInt(e -> e.getLbEndpointsCount()).sum();
                yield read.getClusterName() + ":" + count;
              }
            });
      } catch (InvalidProtocolBufferException broken) {
        throw new AssertionError(broken);
      }
    }
    return names;
  }

  @Test
  void endpoints_areToldOnce_andWhenTheyChange() {
    send(request(ResourceType.ENDPOINTS, "echo"));
    DiscoveryResponse first = next();
    assertThat(names(first)).containsExactly("echo:1");
    ack(first, "echo");
    assertThat(stream.next()).isEmpty();
    catalog.put("echo", "10.0.0.2:80").put("other", "10.0.0.3:80");
    tell();
    DiscoveryResponse second = next();
    assertThat(names(second)).containsExactly("echo:2");
    assertThat(second.getNonce()).isNotEqualTo(first.getNonce());
    assertThat(second.getVersionInfo()).isNotEqualTo(first.getVersionInfo());
    assertThat(stream.next()).isEmpty();
  }

  @Test
  void endpoints_thatHaveChangedAndChangedBack_areNotTold() {
    send(request(ResourceType.ENDPOINTS, "echo"));
    ack(next(), "echo");
    catalog.put("echo", "10.0.0.2:80");
    tell();
    catalog.remove("echo", "10.0.0.2:80");
    tell();
    assertThat(stream.next()).isEmpty();
  }

  @Test
  void endpoints_ofAServiceThatIsGoneOrUnknown_areAnEmptyList() {
    send(request(ResourceType.ENDPOINTS, "echo", "nobody"));
    DiscoveryResponse first = next();
    assertThat(names(first)).containsExactlyInAnyOrder("echo:1", "nobody:0");
    ack(first, "echo", "nobody");
    catalog.remove("echo", "10.0.0.1:80");
    tell();
    assertThat(names(next())).containsExactly("echo:0");
    catalog.put("nobody", "10.0.0.9:80");
    tell();
    assertThat(names(next())).containsExactly("nobody:1");
  }

  @Test
  void listeners_thatAreGone_areAbsentFromTheNextResponse() {
    catalog.put("other", "10.0.0.2:80");
    tell();
    send(request(ResourceType.LISTENER, "echo", "other", "nobody"));
    DiscoveryResponse first = next();
    assertThat(names(first)).containsExactlyInAnyOrder("echo", "other");
    ack(first, "echo", "other", "nobody");
    catalog.remove("other", "10.0.0.2:80");
    tell();
    assertThat(names(next())).containsExactly("echo");
    catalog.put("nobody", "10.0.0.3:80");
    tell();
    assertThat(names(next())).containsExactlyInAnyOrder("echo", "nobody");
  }

  @Test
  void listeners_doNotChangeWithTheInstances() {
    send(request(ResourceType.LISTENER, "echo"));
    ack(next(), "echo");
    catalog.put("echo", "10.0.0.2:80").put("other", "10.0.0.3:80");
    tell();
    assertThat(stream.next()).isEmpty();
  }

  @Test
  void request_withoutNames_asksForAllClusters_untilItHasSome() {
    send(request(ResourceType.CLUSTER));
    DiscoveryResponse first = next();
    assertThat(names(first)).containsExactly("echo");
    assertThat(status(ResourceType.CLUSTER).isWildcard()).isTrue();
    ack(first);
    catalog.put("other", "10.0.0.2:80");
    tell();
    DiscoveryResponse second = next();
    assertThat(names(second)).containsExactly("echo", "other");
    ack(second, "other");
    assertThat(status(ResourceType.CLUSTER).isWildcard()).isFalse();
    send(request(ResourceType.CLUSTER));
    assertThat(status(ResourceType.CLUSTER).isWildcard()).isFalse();
    send(request(ResourceType.CLUSTER, "*"));
    assertThat(names(next())).containsExactly("echo", "other");
  }

  @Test
  void request_withoutNames_asksForNoEndpoints() {
    send(request(ResourceType.ENDPOINTS));
    assertThat(stream.next()).isEmpty();
    send(request(ResourceType.ENDPOINTS, "*"));
    assertThat(names(next())).containsExactly("*:0");
  }

  @Test
  void wildcard_isAnsweredEvenIfThereIsNothing() {
    catalog.remove("echo", "10.0.0.1:80");
    tell();
    send(request(ResourceType.CLUSTER));
    assertThat(names(next())).isEmpty();
    assertThat(stream.next()).isEmpty();
  }

  @Test
  void route_isToldToThoseWhoAsk_andAnUnknownOneIsNot() {
    send(request(ResourceType.ROUTE, "echo", "nobody"));
    assertThat(names(next())).containsExactly("echo");
    assertThat(stream.next()).isEmpty();
  }

  @Test
  void staleNonce_isIgnored() {
    send(request(ResourceType.ENDPOINTS, "echo"));
    DiscoveryResponse first = next();
    catalog.put("echo", "10.0.0.2:80").put("other", "10.0.0.3:80");
    tell();
    DiscoveryResponse second = next();
    ack(first, "echo", "other");
    assertThat(stream.next()).isEmpty();
    assertThat(status(ResourceType.ENDPOINTS).ackedVersion()).isEmpty();
    ack(second, "echo", "other");
    assertThat(status(ResourceType.ENDPOINTS).ackedVersion()).isEqualTo(second.getVersionInfo());
    assertThat(names(next())).containsExactly("other:1");
  }

  @Test
  void nonces_outOfOrderAndMadeUp_doNoHarm() {
    send(request(ResourceType.ENDPOINTS, "echo").setResponseNonce("77"));
    DiscoveryResponse first = next();
    for (String nonce : List.of("0", "-1", "999", "x", first.getNonce() + "0")) {
      send(request(ResourceType.ENDPOINTS, "nobody").setResponseNonce(nonce));
      assertThat(stream.next()).isEmpty();
    }
    ack(first, "echo");
    ack(first, "echo");
    assertThat(status(ResourceType.ENDPOINTS).ackedVersion()).isEqualTo(first.getVersionInfo());
    assertThat(stream.next()).isEmpty();
  }

  @Test
  void subscription_beforeTheFirstAnswer_needsNoNonce() {
    send(request(ResourceType.LISTENER, "echo"));
    send(request(ResourceType.LISTENER, "echo", "nobody"));
    assertThat(names(next())).containsExactly("echo");
    assertThat(stream.next()).isEmpty();
  }

  @Test
  void names_thatAreDroppedAndTakenUpAgain_areToldAgain() {
    send(request(ResourceType.ENDPOINTS, "echo", "nobody"));
    DiscoveryResponse first = next();
    ack(first, "nobody");
    assertThat(stream.next()).isEmpty();
    ack(first, "nobody", "echo");
    assertThat(names(next())).containsExactly("echo:1");
  }

  @Test
  void nack_isCountedAndShown_andNothingIsRepeated() {
    send(request(ResourceType.ENDPOINTS, "echo"));
    DiscoveryResponse first = next();
    Status why = Status.newBuilder().setCode(3).setMessage("no such thing").build();
    send(
        request(ResourceType.ENDPOINTS, "echo")
            .setResponseNonce(first.getNonce())
            .setErrorDetail(why));
    assertThat(stream.next()).isEmpty();
    assertThat(events.all).containsExactly("nack test ENDPOINTS no such thing");
    assertThat(status(ResourceType.ENDPOINTS).refusal()).isEqualTo("no such thing");
    assertThat(status(ResourceType.ENDPOINTS).ackedVersion()).isEmpty();
    catalog.put("echo", "10.0.0.2:80");
    tell();
    ack(next(), "echo");
    assertThat(status(ResourceType.ENDPOINTS).refusal()).isEmpty();
  }

  @Test
  void unknownType_getsNoAnswer_andTheStreamGoesOn() {
    send(DiscoveryRequest.newBuilder().setTypeUrl("type.googleapis.com/envoy.Secret"));
    send(DiscoveryRequest.newBuilder());
    assertThat(stream.next()).isEmpty();
    assertThat(events.all).containsExactly("unknown  type.googleapis.com/envoy.Secret");
    send(request(ResourceType.LISTENER, "echo"));
    assertThat(names(next())).containsExactly("echo");
  }

  @Test
  void tooManyNames_endTheStream() {
    String[] many = IntStream.range(0, 60).mapToObj(i -> "s" + i).toArray(String[]::new);
    send(request(ResourceType.ENDPOINTS, many));
    assertThat(stream.onRequest(request(ResourceType.LISTENER, many).build()))
        .contains("more than 100 resource names on a stream");
    assertThat(stream.onRequest(request(ResourceType.ROUTE, "x".repeat(1_001)).build()))
        .isPresent();
  }

  @Test
  void responses_haveOneMebibyteOrSo() {
    String label = "x".repeat(200);
    for (int i = 0; i < 100; i++) {
      for (int j = 0; j < 60; j++) {
        catalog.put(
            new Entry(
                new Instance(
                    "s" + i,
                    "10.0.1." + j + ":80",
                    1,
                    0,
                    Map.of("a", label),
                    Instance.Health.HEALTHY,
                    LoadReport.UNKNOWN),
                false));
      }
    }
    tell();
    String[] all = IntStream.range(0, 100).mapToObj(i -> "s" + i).toArray(String[]::new);
    send(request(ResourceType.ENDPOINTS, all));
    List<String> seen = new ArrayList<>();
    int count = 0;
    for (var next = stream.next(); next.isPresent(); next = stream.next()) {
      assertThat(next.get().getSerializedSize()).isLessThan((1 << 20) + 100_000);
      seen.addAll(names(next.get()));
      count++;
    }
    assertThat(count).isBetween(2, 3);
    assertThat(seen).hasSize(100).doesNotHaveDuplicates().allMatch(each -> each.endsWith(":60"));
  }

  @Test
  void directory_thatHasJustStarted_deniesNothing() {
    var starting = new ResourceCache(catalog, events);
    var fresh =
        new StateOfTheWorld(new Client("peer"), starting, new AdsLimits(10, 100, 10), events);
    fresh.onRequest(request(ResourceType.ENDPOINTS, "echo", "nobody").build());
    assertThat(fresh.next().map(StateOfTheWorldTest::names)).contains(List.of("echo:1"));
    assertThat(fresh.next()).isEmpty();
    fresh.onRequest(request(ResourceType.LISTENER, "echo", "nobody").build());
    assertThat(fresh.next()).isEmpty();
    var returning =
        new StateOfTheWorld(new Client("peer"), starting, new AdsLimits(10, 100, 10), events);
    returning.onRequest(request(ResourceType.ENDPOINTS, "echo").setVersionInfo("9").build());
    assertThat(returning.next()).isEmpty();

    starting.onWhole();
    assertThat(fresh.next().map(StateOfTheWorldTest::names)).contains(List.of("nobody:0"));
    assertThat(fresh.next().map(StateOfTheWorldTest::names)).contains(List.of("echo"));
    assertThat(returning.next().map(StateOfTheWorldTest::names)).contains(List.of("echo:1"));
  }

  private TypeStatus status(ResourceType type) {
    Optional<TypeStatus> found =
        stream.types().stream().filter(each -> each.type() == type).findFirst();
    return found.orElseThrow();
  }
}
