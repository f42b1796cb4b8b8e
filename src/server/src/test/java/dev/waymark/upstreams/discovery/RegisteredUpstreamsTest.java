package dev.waymark.upstreams.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.wire.WatchedService;
import dev.waymark.upstreams.control.Since;
import dev.waymark.upstreams.discovery.SourceReport.Standing;
import dev.waymark.v1.Instance;
import dev.waymark.v1.Instance.Health;
import dev.waymark.v1.WatchResponse;
import dev.waymark.v1.WatchedInstance;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RegisteredUpstreamsTest {
  private static final int TTL_MS = 10_000;
  private static final int STARTED_JUST_NOW_MS = 5;

  private final WatchedService service = new WatchedService("echo");
  private final Since<Standing> since = new Since<>();

  @Test
  void instances_thatAreNotPassedOn_haveAReasonEach() {
    table(
        TTL_MS,
        watched("a:1", Health.HEALTHY, false),
        watched("b:1", Health.DRAINING, false),
        watched("c:1", Health.UNHEALTHY, false),
        watched("d:1", Health.HEALTHY, true));
    assertThat(entries())
        .containsExactly(
            "a:1 healthy: ",
            "b:1 draining: it is registered as draining",
            "c:1 unhealthy: it is registered as unhealthy",
            "d:1 healthy damped: it comes and goes too often: the directory damps it until it has"
                + " been stable");
    assertThat(passedOn()).containsExactly("a:1");
  }

  @Test
  void dampedInstances_arePassedOnIfThereAreNoOthers() {
    table(TTL_MS, watched("a:1", Health.HEALTHY, true), watched("b:1", Health.UNHEALTHY, false));
    assertThat(entries())
        .containsExactly("a:1 healthy damped: ", "b:1 unhealthy: it is registered as unhealthy");
    assertThat(passedOn()).containsExactly("a:1");
  }

  @Test
  void instance_thatIsKept_saysSoAndKeepsItsTime() {
    table(TTL_MS, watched("a:1", Health.HEALTHY, false));
    since.update(RegisteredUpstreams.standings(service), 1);
    table(STARTED_JUST_NOW_MS);
    since.update(RegisteredUpstreams.standings(service), 2);
    assertThat(entries()).containsExactly("a:1 healthy kept: ");
    assertThat(RegisteredUpstreams.entries(service, since))
        .extracting(SourceReport.Entry::sinceNs)
        .containsExactly(OptionalLong.of(1));
  }

  private void table(int uptimeMs, WatchedInstance... instances) {
    assertThat(
            service.onResponse(
                WatchResponse.newBuilder()
                    .setReset(true)
                    .setUptimeMs(uptimeMs)
                    .setTtlMs(TTL_MS)
                    .addAllPut(List.of(instances))
                    .build()))
        .isTrue();
  }

  private static WatchedInstance watched(String address, Health health, boolean isDamped) {
    return WatchedInstance.newBuilder()
        .setInstance(Instance.newBuilder().setService("echo").setAddress(address).setHealth(health))
        .setIsDamped(isDamped)
        .build();
  }

  private List<String> passedOn() {
    Stream<String> told =
        RegisteredUpstreams.of("echo", service).upstreams().stream().map(each -> each.address());
    List<String> addresses = told.toList();
    assertThat(RegisteredUpstreams.entries(service, since))
        .filteredOn(entry -> entry.withheld().isEmpty())
        .extracting(entry -> entry.endpoint().address())
        .isEqualTo(addresses);
    return addresses;
  }

  private List<String> entries() {
    return RegisteredUpstreams.entries(service, since).stream()
        .map(entry ->
            entry.endpoint().address()
                + " "
                + entry.standing().health()
                + (entry.standing().isDamped() ? " damped" : "")
                + (entry.standing().isKept() ? " kept" : "")
                + ": "
                + entry.withheld())
        .toList();
  }
}
