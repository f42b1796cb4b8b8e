package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.api.ServiceExplanation.Instance;
import dev.waymark.api.ServiceExplanation.Pool;
import dev.waymark.api.UpstreamStatus;
import dev.waymark.config.BalancingKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Registry;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.lane.LaneStatus;
import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.lane.UpstreamView.Subset;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.PoolReport;
import dev.waymark.upstreams.PoolReport.Ejection;
import dev.waymark.upstreams.PoolReport.Trouble;
import dev.waymark.upstreams.discovery.SourceReport;
import dev.waymark.upstreams.discovery.SourceReport.Entry;
import dev.waymark.upstreams.discovery.SourceReport.Standing;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class PoolExplainerTest {
  private static final long SECOND_NS = 1_000_000_000L;

  /** Wraps around soon before. */
  private static final long NOW_NS = Long.MIN_VALUE + 5 * SECOND_NS;

  private static final PoolConfig POOL =
      PoolConfig.of("p", new Target.Registered(Registry.DIRECTORY, List.of("d:1"), "echo"));

  private final List<Entry> entries = new ArrayList<>();
  private final List<PoolReport.Upstream> upstreams = new ArrayList<>();
  private final List<LaneStatus> lanes = new ArrayList<>();
  private PoolConfig config = POOL;
  private Optional<Trouble> trouble = Optional.empty();
  private String drainedBy = "";

  @Test
  void source_isShownWithAges() {
    trouble = Optional.of(trouble(Kind.REGISTRY_FAILED, "gone", 7));
    listed("a:1", Standing.of("healthy"), "");
    listed("b:1", new Standing("healthy", false, true), "");
    Pool pool = explain();
    assertThat(pool.target()).isEqualTo("directory://d:1/echo");
    assertThat(pool.source().server()).isEqualTo("d:1");
    assertThat(pool.source().connectedForMs()).isEqualTo(9_000);
    assertThat(pool.source().heardForMs()).isEqualTo(2_000);
    assertThat(pool.source().version()).isEqualTo("7");
    assertThat(pool.source().kept()).isEqualTo(1);
    assertThat(pool.source().cause()).isEqualTo("registry_failed");
    assertThat(pool.source().problem()).isEqualTo("gone");
    assertThat(pool.source().problemForMs()).isEqualTo(7_000);
  }

  @Test
  void upstream_thatServesAndHasALane_isUsed() {
    listed("a:1", Standing.of("healthy"), "");
    upstream("a:1", UpstreamState.SERVING, "SERVING");
    lane("a:1", false, 3);
    Instance one = only();
    assertThat(one.isUsed()).isTrue();
    assertThat(one.why()).isEmpty();
    assertThat(one.forMs()).isEqualTo(4_000);
    assertThat(one.connections()).isEqualTo(3);
    var listing = Objects.requireNonNull(one.listing());
    assertThat(listing.isPassedOn()).isTrue();
    assertThat(listing.labels()).isEqualTo(Map.of("zone", "z"));
    assertThat(listing.forMs()).isEqualTo(6_000);
  }

  @Test
  void instance_thatIsWithheld_hasTheReasonOfTheSource() {
    listed("a:1", new Standing("healthy", true, false), "it comes and goes");
    lane("a:1", true, 2);
    Instance one = only();
    assertThat(one.isUsed()).isFalse();
    assertThat(one.why()).isEqualTo("it comes and goes");
    assertThat(one.forMs()).isEqualTo(6_000);
    assertThat(one.connections()).isEqualTo(2);
    assertThat(one.upstream()).isNull();
    assertThat(Objects.requireNonNull(one.listing()).isDamped()).isTrue();
  }

  @Test
  void instance_thatThePoolHasNotYet_orNoMore_saysSo() {
    listed("new:1", Standing.of("healthy"), "");
    lane("old:1", true, 2);
    assertThat(whys())
        .containsExactly(
            "new:1 the pool is about to take it in",
            "old:1 it is not listed any more; the connections that it has move to others");
    assertThat(explain().instances()).extracting(Instance::forMs).containsOnlyNulls();
  }

  @Test
  void upstream_thatIsDown_hasItsProblem() {
    upstream("a:1", UpstreamState.DOWN, "UNKNOWN");
    upstreams.add(
        new PoolReport.Upstream(
            view("b:1", UpstreamState.DOWN, "UNREACHABLE"),
            OptionalLong.of(ago(4)),
            Optional.of(trouble(Kind.CONNECTION_REFUSED, "connection refused", 3)),
            Optional.empty()));
    assertThat(whys())
        .containsExactly("a:1 its health service has not answered yet", "b:1 connection refused");
    Instance refused = explain().instances().getLast();
    assertThat(refused.listing()).isNull();
    assertThat(refused.forMs()).isEqualTo(4_000);
    assertThat(refused.problemForMs()).isEqualTo(3_000);
  }

  @Test
  void upstream_thatIsEjected_saysWhyAndHowMuchLonger() {
    upstreams.add(
        new PoolReport.Upstream(
            view("a:1", UpstreamState.EJECTED, "SERVING"),
            OptionalLong.of(ago(1)),
            Optional.empty(),
            Optional.of(new Ejection(OutlierSignal.OPEN_REFUSED, NOW_NS + 29 * SECOND_NS))));
    assertThat(whys()).containsExactly("a:1 it is ejected, as it refused connections");
    assertThat(only().ejectedForMs()).isEqualTo(29_000);
  }

  @Test
  void upstream_thatStandsBy_saysSo() {
    upstream("a:1", UpstreamState.STANDBY, "SERVING");
    assertThat(whys())
        .containsExactly("a:1 it stands by: upstreams with a lower priority number serve");
  }

  @Test
  void upstream_thatDrains_saysForWhom() {
    upstream("a:1", UpstreamState.DRAINING, "SERVING");
    drainedBy = "operator";
    assertThat(whys()).containsExactly("a:1 an operator drains it");
    drainedBy = "configuration";
    assertThat(whys()).containsExactly("a:1 its subset has no share of the connections");
    drainedBy = "upstream";
    assertThat(whys()).containsExactly("a:1 its health service reported NOT_SERVING");
  }

  @Test
  void whatOnlyLanesKnow_hasNoTime() {
    upstream("a:1", UpstreamState.SERVING, "SERVING");
    assertThat(whys()).containsExactly("a:1 no lane to it is open");
    assertThat(only().forMs()).isNull();
    drainedBy = "upstream";
    lane("a:1", true, 1);
    assertThat(whys()).containsExactly("a:1 it has announced Draining");
    assertThat(only().forMs()).isNull();
  }

  @Test
  void upstreams_thatFollowALeader_nameIt() {
    config = POOL.with(BalancingKeys.FOLLOW, BalancingKeys.Follow.LEADER);
    upstream("a:1", UpstreamState.SERVING, "SERVING");
    lane("a:1", false, 0);
    upstream("b:1", UpstreamState.DOWN, "NOT_SERVING");
    upstream("c:1", UpstreamState.DRAINING, "SERVING");
    upstream("d:1", UpstreamState.DOWN, "UNKNOWN");
    assertThat(whys())
        .containsExactly(
            "a:1 ",
            "b:1 another one leads: a:1",
            "c:1 another one leads: a:1",
            "d:1 its health service has not answered yet");
  }

  @Test
  void instances_thatAreNotAskedFor_areLeftOut() {
    upstream("a:1", UpstreamState.SERVING, "SERVING");
    upstream("b:1", UpstreamState.SERVING, "SERVING");
    assertThat(explainer().explain("b:1"::equals).instances())
        .extracting(Instance::address)
        .containsExactly("b:1");
  }

  private void listed(String address, Standing standing, String withheld) {
    Endpoint endpoint = new Endpoint(address, 1, Map.of("zone", "z"));
    entries.add(new Entry(endpoint, standing, withheld, OptionalLong.of(ago(6))));
  }

  private void upstream(String address, UpstreamState state, String health) {
    upstreams.add(
        new PoolReport.Upstream(
            view(address, state, health),
            OptionalLong.of(ago(4)),
            Optional.empty(),
            Optional.empty()));
  }

  private void lane(String address, boolean isDraining, int connections) {
    lanes.add(new LaneStatus("p", address, true, isDraining, "acknowledging", connections));
  }

  private static UpstreamView view(String address, UpstreamState state, String health) {
    return new UpstreamView(address, state, health, 1, 100, 0, Subset.WHOLE, Map.of());
  }

  private static Trouble trouble(Kind kind, String text, int forSeconds) {
    return new Trouble(new UpstreamProblem(kind, text), ago(forSeconds));
  }

  private static long ago(int seconds) {
    return NOW_NS - seconds * SECOND_NS;
  }

  private Pool explain() {
    return explainer().explain(_ -> true);
  }

  private PoolExplainer explainer() {
    SourceReport source =
        new SourceReport(
            Optional.of(new SourceReport.Server("d:1", ago(9))),
            OptionalLong.of(ago(2)),
            "7",
            entries);
    return new PoolExplainer(
        new PoolReport(config, NOW_NS, source, trouble, upstreams), lanes, this::status);
  }

  private UpstreamStatus status(UpstreamView view, List<LaneStatus> own) {
    String problem =
        upstreams.stream()
            .filter(each -> each.view().equals(view))
            .flatMap(each -> each.trouble().stream())
            .map(each -> each.problem().text())
            .findFirst()
            .orElse("");
    return new UpstreamStatus(
        "p",
        view.address(),
        view.health(),
        "state",
        false,
        view.weight(),
        view.slowStartPercent(),
        view.priority(),
        0,
        view.labels(),
        own.stream().mapToLong(LaneStatus::connections).sum(),
        own.size(),
        own.size(),
        false,
        drainedBy,
        "",
        problem);
  }

  private Instance only() {
    assertThat(explain().instances()).hasSize(1);
    return explain().instances().getFirst();
  }

  private List<String> whys() {
    return explain().instances().stream().map(each -> each.address() + " " + each.why()).toList();
  }
}
