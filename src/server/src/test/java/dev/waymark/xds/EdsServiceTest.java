package dev.waymark.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.xds.proto.DeltaDiscoveryRequest;
import dev.waymark.xds.proto.DeltaDiscoveryResponse;
import dev.waymark.xds.proto.DiscoveryRequest;
import dev.waymark.xds.proto.DiscoveryResponse;
import dev.waymark.xds.proto.HealthStatus;
import dev.waymark.xds.proto.Resource;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EdsServiceTest {
  private static final Any ONE = Assignment.packed(Assignment.of("echo", "10.0.0.1:80"));
  private static final Any TWO =
      Assignment.packed(Assignment.of("echo", "10.0.0.1:80", "10.0.0.2:80"));
  private static final Any OTHER = Assignment.packed(Assignment.of("other", "10.0.0.9:80"));
  private static final Any BAD = Assignment.packed(Assignment.of("echo", "10.0.0.1:0"));

  private final EdsService service = new EdsService("echo", "bridge");

  private static DiscoveryResponse sotw(String version, String nonce, Any... resources) {
    return DiscoveryResponse.newBuilder()
        .setTypeUrl(EdsService.TYPE_URL)
        .setVersionInfo(version)
        .setNonce(nonce)
        .addAllResources(List.of(resources))
        .build();
  }

  private static DeltaDiscoveryResponse.Builder delta(String nonce) {
    return DeltaDiscoveryResponse.newBuilder().setTypeUrl(EdsService.TYPE_URL).setNonce(nonce);
  }

  private static Resource resource(String name, String version, Any content) {
    return Resource.newBuilder().setName(name).setVersion(version).setResource(content).build();
  }

  private List<String> addresses() {
    return service.upstreams().stream().map(Endpoint::address).toList();
  }

  private @Nullable Kind problem() {
    return service.problem().map(UpstreamProblem::kind).orElse(null);
  }

  // --- state of the world ---

  @Test
  void sotw_responseIsTaken_andAcknowledged() {
    var stream = service.stateOfTheWorld();
    DiscoveryRequest first = stream.first();
    assertThat(first.getResourceNamesList()).containsExactly("echo");
    assertThat(first.getTypeUrl()).isEqualTo(EdsService.TYPE_URL);
    assertThat(first.getNode().getId()).isEqualTo("bridge");
    assertThat(first.getVersionInfo() + first.getResponseNonce()).isEmpty();
    assertThat(service.isKnown()).isFalse();

    DiscoveryRequest ack = stream.onResponse(sotw("7", "n1", OTHER, TWO)).orElseThrow();
    assertThat(ack.getVersionInfo()).isEqualTo("7");
    assertThat(ack.getResponseNonce()).isEqualTo("n1");
    assertThat(ack.getResourceNamesList()).containsExactly("echo");
    assertThat(ack.hasErrorDetail() || ack.hasNode()).isFalse();
    assertThat(addresses()).containsExactly("10.0.0.1:80", "10.0.0.2:80");
    assertThat(service.isKnown()).isTrue();
    assertThat(service.problem()).isEmpty();
    assertThat(service.stateOfTheWorld().first().getVersionInfo()).isEqualTo("7");
  }

  @Test
  void sotw_badResponse_isRefused_andTheLastListStays() {
    var stream = service.stateOfTheWorld();
    stream.onResponse(sotw("7", "n1", ONE));
    DiscoveryRequest nack = stream.onResponse(sotw("8", "n2", BAD)).orElseThrow();
    assertThat(nack.getVersionInfo()).isEqualTo("7");
    assertThat(nack.getResponseNonce()).isEqualTo("n2");
    assertThat(nack.getErrorDetail().getCode()).isEqualTo(3);
    assertThat(nack.getErrorDetail().getMessage())
        .startsWith("assignment of echo: endpoints[0].lb_endpoints[0] has the address 10.0.0.1:0");
    assertThat(addresses()).containsExactly("10.0.0.1:80");
    assertThat(service.problem().orElseThrow().text())
        .startsWith("refused from the control plane: assignment of echo: endpoints[0]");
    stream.onResponse(sotw("9", "n3", TWO));
    assertThat(service.problem()).isEmpty();
    assertThat(addresses()).hasSize(2);
  }

  @Test
  void sotw_badResponseAtFirst_leavesNothingKnown() {
    var stream = service.stateOfTheWorld();
    Any broken =
        Any.newBuilder()
            .setTypeUrl(EdsService.TYPE_URL)
            .setValue(ByteString.copyFromUtf8("\n\u007fx"))
            .build();
    DiscoveryRequest nack = stream.onResponse(sotw("1", "n1", broken)).orElseThrow();
    assertThat(nack.getErrorDetail().getMessage()).contains("cannot be decoded");
    Any wrongType = Any.newBuilder().setTypeUrl("type.googleapis.com/x").build();
    nack = stream.onResponse(sotw("2", "n2", wrongType)).orElseThrow();
    assertThat(nack.getErrorDetail().getMessage()).contains("its type is type.googleapis.com/x");
    assertThat(nack.getVersionInfo()).isEmpty();
    assertThat(service.isKnown()).isFalse();
    assertThat(problem()).isEqualTo(Kind.REGISTRY_FAILED);
  }

  @Test
  void sotw_responseWithoutTheService_changesNothing() {
    var stream = service.stateOfTheWorld();
    stream.onResponse(sotw("7", "n1", ONE));
    DiscoveryRequest ack = stream.onResponse(sotw("8", "n2", OTHER)).orElseThrow();
    assertThat(ack.getVersionInfo()).isEqualTo("8");
    assertThat(addresses()).containsExactly("10.0.0.1:80");
  }

  @Test
  void sotw_resourceInAWrapper_isTaken() {
    Any wrapped =
        Any.newBuilder()
            .setTypeUrl("type.googleapis.com/envoy.service.discovery.v3.Resource")
            .setValue(resource("echo", "1", ONE).toByteString())
            .build();
    service.stateOfTheWorld().onResponse(sotw("7", "n1", wrapped));
    assertThat(addresses()).containsExactly("10.0.0.1:80");
  }

  @Test
  void responseOfAnotherType_isNotAnswered() {
    assertThat(
            service
                .stateOfTheWorld()
                .onResponse(DiscoveryResponse.newBuilder().setTypeUrl("x").build()))
        .isEmpty();
    assertThat(
            service
                .incremental()
                .onResponse(DeltaDiscoveryResponse.newBuilder().setTypeUrl("x").build()))
        .isEmpty();
  }

  // --- incremental ---

  @Test
  void delta_resourceIsTaken_andTheNextStreamGoesOnFromIt() {
    var stream = service.incremental();
    DeltaDiscoveryRequest first = stream.first();
    assertThat(first.getResourceNamesSubscribeList()).containsExactly("echo");
    assertThat(first.getInitialResourceVersionsMap()).isEmpty();
    DeltaDiscoveryRequest ack =
        stream
            .onResponse(
                delta("n1")
                    .addResources(resource("other", "o", OTHER))
                    .addResources(resource("echo", "v1", ONE))
                    .build())
            .orElseThrow();
    assertThat(ack.getResponseNonce()).isEqualTo("n1");
    assertThat(ack.hasErrorDetail()).isFalse();
    assertThat(ack.getResourceNamesSubscribeList()).isEmpty();
    assertThat(addresses()).containsExactly("10.0.0.1:80");
    assertThat(service.incremental().first().getInitialResourceVersionsMap())
        .containsOnly(Map.entry("echo", "v1"));
  }

  @Test
  void delta_badResource_isRefused_andItsVersionIsNotTaken() {
    var stream = service.incremental();
    stream.onResponse(delta("n1").addResources(resource("echo", "v1", ONE)).build());
    for (Any bad : List.of(BAD, OTHER)) {
      DeltaDiscoveryRequest nack =
          stream
              .onResponse(delta("n2").addResources(resource("echo", "v2", bad)).build())
              .orElseThrow();
      assertThat(nack.getResponseNonce()).isEqualTo("n2");
      assertThat(nack.getErrorDetail().getCode()).isEqualTo(3);
      assertThat(addresses()).containsExactly("10.0.0.1:80");
      assertThat(problem()).isEqualTo(Kind.REGISTRY_FAILED);
    }
    assertThat(service.incremental().first().getInitialResourceVersionsMap())
        .containsEntry("echo", "v1");
  }

  @Test
  void delta_removal_emptiesTheList_andForgetsTheVersion() {
    var stream = service.incremental();
    stream.onResponse(delta("n1").addResources(resource("echo", "v1", ONE)).build());
    stream.onResponse(delta("n2").addRemovedResources("other").build());
    assertThat(addresses()).hasSize(1);
    DeltaDiscoveryRequest ack =
        stream.onResponse(delta("n3").addRemovedResources("echo").build()).orElseThrow();
    assertThat(ack.hasErrorDetail()).isFalse();
    assertThat(service.isKnown()).isTrue();
    assertThat(addresses()).isEmpty();
    assertThat(problem()).isEqualTo(Kind.NO_SUCH_NAME);
    assertThat(service.incremental().first().getInitialResourceVersionsMap()).isEmpty();
    stream.onResponse(delta("n4").addResources(resource("echo", "v1", ONE)).build());
    assertThat(addresses()).hasSize(1);
    assertThat(service.problem()).isEmpty();
  }

  // --- what is not there ---

  @Test
  void silence_meansThatThereIsNoSuchService_untilItIsThere() {
    service.onOverdue();
    assertThat(problem()).isEqualTo(Kind.NO_SUCH_NAME);
    assertThat(service.isKnown()).isFalse();
    service.stateOfTheWorld().onResponse(sotw("7", "n1", ONE));
    assertThat(service.problem()).isEmpty();
    service.onOverdue();
    assertThat(service.problem()).as("only the first time").isEmpty();
  }

  @Test
  void emptyList_isBelieved_andExplained() {
    var stream = service.stateOfTheWorld();
    stream.onResponse(sotw("7", "n1", ONE));
    stream.onResponse(sotw("8", "n2", Assignment.packed(Assignment.of("echo"))));
    assertThat(addresses()).isEmpty();
    assertThat(service.problem().orElseThrow().text())
        .isEqualTo("the control plane knows no endpoint of echo");
    Any unhealthy =
        Assignment.packed(
            Assignment.ofGroups(
                "echo",
                Assignment.group(
                    "", 0, 0, Assignment.endpoint("10.0.0.1:80", 1, HealthStatus.UNHEALTHY))));
    stream.onResponse(sotw("9", "n3", unhealthy));
    assertThat(service.problem().orElseThrow().text())
        .isEqualTo("none of the endpoints of echo that the control plane knows is healthy");
  }
}
