package dev.waymark.tools.directory.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.Status;
import dev.waymark.tools.directory.xds.StreamStatus.TypeStatus;
import dev.waymark.xds.proto.ClusterLoadAssignment;
import dev.waymark.xds.proto.DeltaDiscoveryRequest;
import dev.waymark.xds.proto.DeltaDiscoveryResponse;
import dev.waymark.xds.proto.Node;
import dev.waymark.xds.proto.Resource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class IncrementalTest {
  private static final AdsLimits LIMITS = new AdsLimits(10, 100, 10);

  private final FakeCatalog catalog =
      new FakeCatalog().put("echo", "10.0.0.1:80").put("other", "10.0.0.2:80");
  private final RecordedAdsEvents events = new RecordedAdsEvents();
  private final ResourceCache cache = new ResourceCache(catalog, events);
  private Incremental stream = new Incremental(new Client("peer"), cache, LIMITS, events);

  IncrementalTest() {
    cache.onWhole();
    catalog.takeChanged();
  }

  private static DeltaDiscoveryRequest.Builder request(ResourceType type, String... subscribe) {
    return DeltaDiscoveryRequest.newBuilder()
        .setNode(Node.newBuilder().setId("test"))
        .setTypeUrl(type.url())
        .addAllResourceNamesSubscribe(List.of(subscribe));
  }

  private void send(DeltaDiscoveryRequest.Builder request) {
    assertThat(stream.onRequest(request.build())).isEmpty();
  }

  private void ack(DeltaDiscoveryResponse response) {
    send(
        DeltaDiscoveryRequest.newBuilder()
            .setTypeUrl(response.getTypeUrl())
            .setResponseNonce(response.getNonce()));
  }

  private void tell() {
    Set<String> changed = catalog.takeChanged();
    stream.onChanged(changed, cache.onChanged(changed));
  }

  /**
   * The next response as text: names and, for endpoints, their number; "-" before those removed.
   */
  private Set<String> next() {
    return text(stream.next().orElseThrow());
  }

  private static Set<String> text(DeltaDiscoveryResponse response) {
    Set<String> all =
        response.getResourcesList().stream()
            .map(each -> each.getName() + count(each))
            .collect(Collectors.toSet());
    response.getRemovedResourcesList().forEach(name -> all.add("-" + name));
    return all;
  }

  private static String count(Resource resource) {
    if (!resource.getResource().getTypeUrl().equals(ResourceType.ENDPOINTS.url())) {
      return "";
    }
    try {
      return ":"
          + ClusterLoadAssignment.parseFrom(resource.getResource().getValue())
              .getEndpointsList()
              .stream()
              .mapToInt(each -> each.getLbEndpointsCount())
              .sum();
    } catch (InvalidProtocolBufferException broken) {
      throw new AssertionError(broken);
    }
  }

  @Test
  void onlyWhatHasChanged_isTold() {
    send(request(ResourceType.ENDPOINTS, "echo", "other"));
    assertThat(next()).containsExactlyInAnyOrder("echo:1", "other:1");
    catalog.put("echo", "10.0.0.3:80");
    tell();
    assertThat(next()).containsExactly("echo:2");
    assertThat(stream.next()).isEmpty();
    catalog.put("echo", "10.0.0.4:80");
    tell();
    catalog.remove("echo", "10.0.0.4:80");
    tell();
    assertThat(stream.next()).isEmpty();
  }

  @Test
  void unknownName_isRemoved_once_andToldWhenItIsThere() {
    send(request(ResourceType.ENDPOINTS, "nobody"));
    assertThat(next()).containsExactly("-nobody");
    assertThat(stream.next()).isEmpty();
    catalog.put("nobody", "10.0.0.9:80");
    tell();
    assertThat(next()).containsExactly("nobody:1");
  }

  @Test
  void service_thatIsGone_hasNoEndpoints_andNoListener() {
    send(request(ResourceType.ENDPOINTS, "echo"));
    send(request(ResourceType.LISTENER, "echo"));
    assertThat(next()).containsExactly("echo:1");
    assertThat(next()).containsExactly("echo");
    catalog.remove("echo", "10.0.0.1:80");
    tell();
    assertThat(next()).containsExactly("echo:0");
    assertThat(next()).containsExactly("-echo");
    assertThat(stream.next()).isEmpty();
    catalog.put("echo", "10.0.0.1:80");
    tell();
    assertThat(next()).containsExactly("echo:1");
    assertThat(next()).containsExactly("echo");
  }

  @Test
  void wildcard_getsAllClusters_andThoseThatComeAndGo() {
    send(request(ResourceType.CLUSTER));
    assertThat(next()).containsExactlyInAnyOrder("echo", "other");
    catalog.put("third", "10.0.0.3:80").remove("other", "10.0.0.2:80");
    tell();
    assertThat(next()).containsExactlyInAnyOrder("third", "-other");
    catalog.put("third", "10.0.0.4:80");
    tell();
    assertThat(stream.next()).isEmpty();
    send(request(ResourceType.CLUSTER).addResourceNamesUnsubscribe("*"));
    catalog.put("fourth", "10.0.0.5:80");
    tell();
    assertThat(stream.next()).isEmpty();
    send(request(ResourceType.CLUSTER, "*"));
    assertThat(next()).containsExactlyInAnyOrder("echo", "third", "fourth");
  }

  @Test
  void wildcard_withoutAnyService_isAnsweredWithNothing() {
    catalog.remove("echo", "10.0.0.1:80").remove("other", "10.0.0.2:80");
    tell();
    send(request(ResourceType.CLUSTER));
    assertThat(next()).isEmpty();
    assertThat(stream.next()).isEmpty();
  }

  @Test
  void name_thatIsDroppedUnderAWildcard_isToldAgain() {
    send(request(ResourceType.CLUSTER, "*", "echo", "nobody"));
    assertThat(next()).containsExactlyInAnyOrder("echo", "other", "-nobody");
    send(
        request(ResourceType.CLUSTER)
            .addResourceNamesUnsubscribe("echo")
            .addResourceNamesUnsubscribe("nobody"));
    assertThat(next()).containsExactlyInAnyOrder("echo", "-nobody");
  }

  @Test
  void name_thatIsDropped_isNotToldAnyMore() {
    send(request(ResourceType.ENDPOINTS, "echo", "other"));
    next();
    send(request(ResourceType.ENDPOINTS).addResourceNamesUnsubscribe("echo"));
    catalog.put("echo", "10.0.0.3:80");
    tell();
    assertThat(stream.next()).isEmpty();
    send(request(ResourceType.ENDPOINTS, "echo"));
    assertThat(next()).containsExactly("echo:2");
    send(request(ResourceType.ENDPOINTS, "echo"));
    assertThat(next()).as("asked for again").containsExactly("echo:2");
  }

  @Test
  void stream_thatGoesOnFromVersions_isToldOnlyWhatItDoesNotHave() {
    send(request(ResourceType.ENDPOINTS, "echo", "other"));
    Map<String, String> versions =
        stream.next().orElseThrow().getResourcesList().stream()
            .collect(Collectors.toMap(Resource::getName, Resource::getVersion));
    stream = new Incremental(new Client("peer"), cache, LIMITS, events);
    send(request(ResourceType.ENDPOINTS, "echo", "other").putAllInitialResourceVersions(versions));
    assertThat(stream.next()).isEmpty();
    catalog.put("other", "10.0.0.3:80").remove("echo", "10.0.0.1:80");
    stream = new Incremental(new Client("peer"), cache, LIMITS, events);
    Set<String> changed = catalog.takeChanged();
    cache.onChanged(changed);
    send(
        request(ResourceType.ENDPOINTS, "echo", "other", "new")
            .putAllInitialResourceVersions(versions));
    assertThat(next()).containsExactlyInAnyOrder("echo:0", "other:2", "-new");
  }

  @Test
  void versions_areThoseOfAnotherDirectoryWithTheSameTable() {
    ResourceCache other =
        new ResourceCache(
            new FakeCatalog().put("x", "10.0.0.7:1").put("echo", "10.0.0.1:80"), events);
    assertThat(other.find(ResourceType.ENDPOINTS, "echo"))
        .map(EncodedResource::version)
        .isEqualTo(cache.find(ResourceType.ENDPOINTS, "echo").map(EncodedResource::version));
  }

  @Test
  void wildcard_thatGoesOnFromVersions_isToldWhatIsGone() {
    send(request(ResourceType.CLUSTER).putInitialResourceVersions("gone", "1"));
    assertThat(next()).containsExactlyInAnyOrder("echo", "other", "-gone");
  }

  @Test
  void answers_areTakenInAnyOrder_andSubscriptionsWithAnyNonce() {
    send(request(ResourceType.ENDPOINTS, "echo"));
    DeltaDiscoveryResponse first = stream.next().orElseThrow();
    catalog.put("echo", "10.0.0.3:80");
    tell();
    DeltaDiscoveryResponse second = stream.next().orElseThrow();
    ack(first);
    assertThat(status().ackedVersion()).isEqualTo(first.getSystemVersionInfo());
    send(request(ResourceType.ENDPOINTS, "other").setResponseNonce("made up"));
    assertThat(next()).containsExactly("other:1");
    ack(second);
    ack(first);
    assertThat(status().ackedVersion()).isEqualTo(second.getSystemVersionInfo());
  }

  @Test
  void nack_isToldAndShown() {
    send(request(ResourceType.ENDPOINTS, "echo"));
    DeltaDiscoveryResponse first = stream.next().orElseThrow();
    Status why = Status.newBuilder().setMessage("bad").build();
    send(request(ResourceType.ENDPOINTS).setResponseNonce(first.getNonce()).setErrorDetail(why));
    assertThat(events.all).containsExactly("nack test ENDPOINTS bad");
    assertThat(status().refusal()).isEqualTo("bad");
    assertThat(stream.next()).isEmpty();
  }

  @Test
  void tooMuch_endsTheStream() {
    DeltaDiscoveryRequest.Builder many = request(ResourceType.ENDPOINTS);
    IntStream.rangeClosed(0, 100).forEach(i -> many.putInitialResourceVersions("s" + i, "1"));
    assertThat(stream.onRequest(many.build())).isPresent();
    IntStream.rangeClosed(0, 100).forEach(i -> many.addResourceNamesSubscribe("s" + i));
    many.clearInitialResourceVersions();
    assertThat(stream.onRequest(many.build())).contains("more than 100 resource names on a stream");
  }

  @Test
  void directory_thatHasJustStarted_deniesNothing() {
    ResourceCache starting = new ResourceCache(catalog, events);
    Incremental fresh = new Incremental(new Client("peer"), starting, LIMITS, events);
    fresh.onRequest(request(ResourceType.ENDPOINTS, "echo", "nobody").build());
    assertThat(fresh.next().map(IncrementalTest::text)).contains(Set.of("echo:1"));
    assertThat(fresh.next()).isEmpty();
    Incremental returning = new Incremental(new Client("peer"), starting, LIMITS, events);
    returning.onRequest(
        request(ResourceType.ENDPOINTS, "echo").putInitialResourceVersions("echo", "1").build());
    assertThat(returning.next()).isEmpty();
    starting.onWhole();
    assertThat(fresh.next().map(IncrementalTest::text)).contains(Set.of("-nobody"));
    assertThat(returning.next().map(IncrementalTest::text)).contains(Set.of("echo:1"));
  }

  private TypeStatus status() {
    return stream.types().getFirst();
  }
}
