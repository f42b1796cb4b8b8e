package dev.waymark.upstreams.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.discovery.EndpointSlice.Condition;
import dev.waymark.upstreams.discovery.EndpointSlice.Member;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class EndpointSlicesTest {
  private static final Target.Kubernetes TARGET = new Target.Kubernetes("", "echo", "shop", "grpc");

  private final EndpointSlices slices = new EndpointSlices();

  @Test
  void slices_ofOneService_areMerged_eachAddressOnce() {
    slices.put(slice("b", "10.0.0.2:9", "10.0.0.3:9"));
    slices.put(slice("a", "10.0.0.2:9", "10.0.0.1:9"));
    assertThat(addresses()).containsExactly("10.0.0.1:9", "10.0.0.2:9", "10.0.0.3:9");
    slices.remove("a");
    assertThat(addresses()).containsExactly("10.0.0.2:9", "10.0.0.3:9");
  }

  @Test
  void endpoint_inTwoSlices_hasTheZoneOfTheFirst() {
    slices.put(new EndpointSlice("b", List.of(ready(zoned("y"))), 1, true));
    slices.put(new EndpointSlice("a", List.of(ready(zoned("x"))), 1, true));
    assertThat(slices.upstreams()).containsExactly(zoned("x"));
  }

  @Test
  void endpoint_inTwoSlices_isReadyIfOneOfThemSaysSo() {
    Endpoint endpoint = zoned("x");
    slices.put(slice("a", new Member(endpoint, Condition.TERMINATING)));
    assertThat(slices.upstreams()).isEmpty();
    slices.put(slice("b", ready(endpoint)));
    slices.put(slice("c", new Member(endpoint, Condition.NOT_READY)));
    assertThat(slices.upstreams()).containsExactly(endpoint);
    assertThat(slices.members()).containsExactly(ready(endpoint));
  }

  private static EndpointSlice slice(String name, Member member) {
    return new EndpointSlice(name, List.of(member), 1, true);
  }

  @Test
  void slice_thatIsModified_replacesItself() {
    slices.put(slice("a", "10.0.0.1:9", "10.0.0.2:9"));
    slices.put(slice("a", "10.0.0.2:9"));
    assertThat(addresses()).containsExactly("10.0.0.2:9");
  }

  @Test
  void slice_thatIsUnknown_mayBeRemoved() {
    slices.remove("a");
    assertThat(addresses()).isEmpty();
  }

  @Test
  void endpoints_beyondTheLimit_areTooMany_untilSomeAreGone() {
    slices.put(new EndpointSlice("a", List.of(), EndpointSlices.ENDPOINTS_MAX, true));
    assertThat(slices.isTooLarge()).isFalse();
    slices.put(slice("b", "10.0.0.1:9"));
    assertThat(slices.isTooLarge()).isTrue();
    slices.put(new EndpointSlice("a", List.of(), 5, true));
    assertThat(slices.isTooLarge()).isFalse();
  }

  @Test
  void problem_saysWhyThereIsNoUpstream() {
    assertProblem(
        Kind.NO_SUCH_NAME,
        "no EndpointSlice belongs to service echo in namespace shop: there is no such service, or it has no selector");
    slices.put(new EndpointSlice("a", List.of(), 0, false));
    assertProblem(
        Kind.NO_ADDRESS,
        "the service has no endpoint with an IP address: its selector may match no pod");
    slices.put(new EndpointSlice("a", List.of(), 2, false));
    assertProblem(Kind.NO_ADDRESS, "the EndpointSlices of the service have no TCP port named grpc");
    slices.put(new EndpointSlice("b", List.of(), 3, true));
    assertProblem(Kind.NO_ADDRESS, "no endpoint of the service is ready (there are 5)");
    slices.put(slice("c", "10.0.0.1:9"));
    assertThat(slices.problem(TARGET)).isEmpty();
  }

  private void assertProblem(Kind kind, String text) {
    assertThat(slices.problem(TARGET)).contains(new UpstreamProblem(kind, text));
  }

  private List<String> addresses() {
    return slices.upstreams().stream().map(Endpoint::address).toList();
  }

  private static EndpointSlice slice(String name, String... addresses) {
    return new EndpointSlice(
        name,
        Stream.of(addresses).map(each -> ready(new Endpoint(each, 1, Map.of()))).toList(),
        addresses.length,
        true);
  }

  private static Member ready(Endpoint endpoint) {
    return new Member(endpoint, Condition.READY);
  }

  private static Endpoint zoned(String zone) {
    return new Endpoint("10.0.0.1:9", 1, Map.of("zone", zone));
  }
}
