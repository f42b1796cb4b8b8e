package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.BalancingKeys.Follow;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Subset;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.lane.UpstreamView;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PoolStateTest {
  private static final long SECOND_NS = 1_000_000_000L;

  private final RecordedEvents recorder = new RecordedEvents();
  private long nowNs = 42;

  @Test
  void health_decidesTheState() {
    PoolState state = state(p -> {});
    upstreams(state, "a", "b");
    assertThat(states(state)).containsExactly("a DOWN", "b DOWN");
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    state.onHealth(nowNs, "b", UpstreamHealth.UNIMPLEMENTED);
    assertThat(states(state)).containsExactly("a SERVING", "b SERVING");
    state.onHealth(nowNs, "a", UpstreamHealth.UNREACHABLE);
    state.onHealth(nowNs, "b", UpstreamHealth.SERVICE_UNKNOWN);
    assertThat(states(state))
        .as("not DRAINING: connections stay while their lane lasts")
        .containsExactly("a DOWN", "b DOWN");
    state.onHealth(nowNs, "gone", UpstreamHealth.SERVING);
    assertThat(recorder.events)
        .containsExactly(
            "health a UNKNOWN SERVING",
            "health b UNKNOWN UNIMPLEMENTED",
            "health a SERVING UNREACHABLE",
            "health b UNIMPLEMENTED SERVICE_UNKNOWN");
  }

  @Test
  void notServing_afterServing_drainsUntilItServesAgain() {
    PoolState state = state(p -> {});
    upstreams(state, "a");
    state.onHealth(nowNs, "a", UpstreamHealth.NOT_SERVING);
    assertThat(states(state)).as("it has not served yet").containsExactly("a DOWN");
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    state.onHealth(nowNs, "a", UpstreamHealth.NOT_SERVING);
    assertThat(states(state)).containsExactly("a DRAINING");
    state.onHealth(nowNs, "a", UpstreamHealth.UNREACHABLE);
    assertThat(states(state)).as("its last status holds").containsExactly("a DRAINING");
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    assertThat(states(state)).containsExactly("a SERVING");
  }

  @Test
  void upstream_drainedByAnOperator_drainsUntilUndrainedAlsoAcrossARestart() {
    PoolState state = state(p -> {});
    serving(state, "a", "b");
    assertThat(state.onOperatorDrain(nowNs, "a", true)).isEqualTo(OperatorDrain.DONE);
    assertThat(states(state)).containsExactly("a DRAINING", "b SERVING");
    assertThat(state.drained()).containsExactly("a");
    state.onHealth(nowNs, "a", UpstreamHealth.UNREACHABLE);
    assertThat(states(state)).containsExactly("a DOWN", "b SERVING");
    upstreams(state, "b");
    serving(state, "a", "b");
    assertThat(states(state)).as("found again").containsExactly("a DRAINING", "b SERVING");
    assertThat(state.onOperatorDrain(nowNs, "a", false)).isEqualTo(OperatorDrain.DONE);
    assertThat(states(state)).containsExactly("a SERVING", "b SERVING");
    assertThat(state.onOperatorDrain(nowNs, "a", false)).isEqualTo(OperatorDrain.UNKNOWN);
    assertThat(state.onOperatorDrain(nowNs, "c", true)).isEqualTo(OperatorDrain.UNKNOWN);
  }

  @Test
  void lastServingUpstream_drainedByAnOperator_bringsTheEjectedBack() {
    PoolState state = state(p -> {});
    serving(state, "a", "b");
    state.onOutlierSignal(nowNs, "a", OutlierSignal.STALLED);
    state.onOperatorDrain(nowNs, "b", true);
    assertThat(states(state)).containsExactly("a SERVING", "b DRAINING");
  }

  @Test
  void operatorDrain_inAPoolWithALeader_isRefused() {
    PoolState state = state(p -> p.follow = Follow.LEADER);
    serving(state, "a");
    assertThat(state.onOperatorDrain(nowNs, "a", true)).isEqualTo(OperatorDrain.LEADER);
    assertThat(states(state)).containsExactly("a SERVING");
  }

  @Test
  void operatorDrains_areBoundedInNumber() {
    PoolState state = state(p -> {});
    for (int i = 0; i <= PoolState.DRAINED_MAX; i++) {
      upstreams(state, "u" + i);
      assertThat(state.onOperatorDrain(nowNs, "u" + i, true))
          .isEqualTo(i < PoolState.DRAINED_MAX ? OperatorDrain.DONE : OperatorDrain.TOO_MANY);
    }
  }

  @Test
  void upstreams_ofLowerPriority_standByWhileOneOfHigherPriorityServes() {
    PoolState state = state(p -> {});
    state.onUpstreams(
        nowNs,
        List.of(
            new Endpoint("a", 1, 0, Map.of()),
            new Endpoint("b", 1, 0, Map.of()),
            new Endpoint("c", 1, 7, Map.of()),
            new Endpoint("d", 1, 9, Map.of())));
    for (String address : List.of("a", "b", "c", "d")) {
      state.onHealth(nowNs, address, UpstreamHealth.SERVING);
    }
    assertThat(states(state)).containsExactly("a SERVING", "b SERVING", "c STANDBY", "d STANDBY");
    assertThat(state.views(nowNs).get(2).isServing()).as("shards decide").isTrue();
    assertThat(state.views(nowNs).get(2).priority()).isEqualTo(7);
    state.onHealth(nowNs, "a", UpstreamHealth.UNREACHABLE);
    assertThat(states(state)).containsExactly("a DOWN", "b SERVING", "c STANDBY", "d STANDBY");
    state.onOutlierSignal(nowNs, "b", OutlierSignal.STALLED);
    assertThat(states(state)).containsExactly("a DOWN", "b EJECTED", "c SERVING", "d STANDBY");
    state.onHealth(nowNs, "c", UpstreamHealth.NOT_SERVING);
    assertThat(states(state)).containsExactly("a DOWN", "b EJECTED", "c DRAINING", "d SERVING");
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    assertThat(states(state)).containsExactly("a SERVING", "b EJECTED", "c DRAINING", "d STANDBY");
  }

  @Test
  void upstream_thatStalls_isEjectedAndReturns() {
    PoolState state = state(p -> {});
    serving(state, "a", "b");
    state.onOutlierSignal(nowNs, "a", OutlierSignal.STALLED);
    assertThat(states(state)).containsExactly("a EJECTED", "b SERVING");
    assertThat(state.views(nowNs).getFirst().isServing()).isFalse();
    assertThat(state.views(nowNs).getFirst().isDraining()).isFalse();
    state.onOutlierSignal(nowNs, "b", OutlierSignal.STALLED);
    assertThat(states(state)).as("one has to stay").containsExactly("a EJECTED", "b SERVING");
    toDeadline(state);
    assertThat(states(state)).containsExactly("a SERVING", "b SERVING");
    assertThat(recorder.events).endsWith("ejected a STALLED", "returned a");
  }

  @Test
  void upstream_ejected_returnsWhenNoOtherServes() {
    PoolState state = state(p -> {});
    serving(state, "a", "b");
    state.onOutlierSignal(nowNs, "a", OutlierSignal.STALLED);
    state.onHealth(nowNs, "b", UpstreamHealth.UNREACHABLE);
    assertThat(states(state)).containsExactly("a SERVING", "b DOWN");
  }

  @Test
  void signal_aboutAnUpstreamThatDoesNotServe_isIgnored() {
    PoolState state = state(p -> {});
    serving(state, "a", "b");
    state.onHealth(nowNs, "a", UpstreamHealth.UNREACHABLE);
    state.onOutlierSignal(nowNs, "a", OutlierSignal.STALLED);
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    assertThat(states(state)).containsExactly("a SERVING", "b SERVING");
  }

  @Test
  void upstream_whoseHealthFloods_isEjectedWhateverItsStatus() {
    PoolState state = state(p -> {});
    serving(state, "a", "b");
    state.onHealth(nowNs, "a", UpstreamHealth.NOT_SERVING);
    state.onOutlierSignal(nowNs, "a", OutlierSignal.HEALTH_FLOOD);
    state.onHealth(nowNs, "a", UpstreamHealth.UNREACHABLE);
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    assertThat(states(state)).containsExactly("a EJECTED", "b SERVING");
  }

  @Test
  void upstreams_olderThanTheBridge_startAtFullWeight() {
    PoolState state = state(p -> p.slowStart = Duration.ofSeconds(30));
    serving(state, "a", "b");
    assertThat(percents(state)).containsExactly(100, 100);
    assertThat(state.nextDeadlineNs(nowNs)).isEqualTo(OptionalLong.empty());
  }

  @Test
  void upstream_thatAppears_startsSlowly() {
    PoolState state = state(p -> p.slowStart = Duration.ofSeconds(30));
    serving(state, "a");
    serving(state, "a", "b");
    assertThat(percents(state)).containsExactly(100, 10);
    assertThat(state.views(nowNs).getLast().weight()).isEqualTo(1);
    nowNs += 15 * SECOND_NS;
    assertThat(percents(state)).containsExactly(100, 55);
    for (int steps = 0; steps < 5; steps++) {
      toDeadline(state);
    }
    assertThat(percents(state)).containsExactly(100, 100);
    assertThat(state.nextDeadlineNs(nowNs)).isEqualTo(OptionalLong.empty());
  }

  @Test
  void upstream_thatReturns_startsSlowly() {
    PoolState state = state(p -> p.slowStart = Duration.ofSeconds(30));
    serving(state, "a", "b");
    state.onHealth(nowNs, "a", UpstreamHealth.UNREACHABLE);
    nowNs += SECOND_NS;
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    assertThat(percents(state)).containsExactly(10, 100);
  }

  @Test
  void upstream_downWhenTheBridgeStarts_startsSlowlyLater() {
    PoolState state = state(p -> p.slowStart = Duration.ofSeconds(30));
    upstreams(state, "a", "b");
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    state.onHealth(nowNs, "b", UpstreamHealth.UNREACHABLE);
    state.onHealth(nowNs, "b", UpstreamHealth.SERVING);
    assertThat(percents(state)).containsExactly(100, 10);
  }

  @Test
  void leader_aloneServes_formerLeadersDrain() {
    PoolState state = state(p -> p.follow = Follow.LEADER);
    upstreams(state, "a", "b", "c");
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    assertThat(states(state)).containsExactly("a SERVING", "b DOWN", "c DOWN");
    state.onHealth(nowNs, "b", UpstreamHealth.SERVING);
    assertThat(states(state)).containsExactly("a DRAINING", "b SERVING", "c DOWN");
    state.onHealth(nowNs, "b", UpstreamHealth.NOT_SERVING);
    assertThat(states(state))
        .as("a still reports SERVING")
        .containsExactly("a SERVING", "b DRAINING", "c DOWN");
    state.onHealth(nowNs, "a", UpstreamHealth.NOT_SERVING);
    assertThat(states(state)).containsExactly("a DRAINING", "b DRAINING", "c DOWN");
    state.onHealth(nowNs, "c", UpstreamHealth.SERVING);
    assertThat(states(state)).containsExactly("a DRAINING", "b DRAINING", "c SERVING");
  }

  @Test
  void leader_whoseWatchIsRestored_leadsOnlyIfNoOtherHasTurnedServing() {
    PoolState state = state(p -> p.follow = Follow.LEADER);
    upstreams(state, "a", "b");
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    state.onHealth(nowNs, "a", UpstreamHealth.UNREACHABLE);
    assertThat(states(state)).containsExactly("a DRAINING", "b DOWN");
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    assertThat(states(state)).containsExactly("a SERVING", "b DOWN");
    state.onHealth(nowNs, "a", UpstreamHealth.UNREACHABLE);
    state.onHealth(nowNs, "b", UpstreamHealth.SERVING);
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    assertThat(states(state)).containsExactly("a DRAINING", "b SERVING");
  }

  @Test
  void leader_isNeverEjected() {
    PoolState state = state(p -> p.follow = Follow.LEADER);
    serving(state, "a", "b");
    state.onOutlierSignal(nowNs, "b", OutlierSignal.STALLED);
    assertThat(states(state)).containsExactly("a DRAINING", "b SERVING");
  }

  @Test
  void subset_isTheFirstMatch_orTheRest() {
    PoolState state =
        state(p ->
            p.subsets =
                List.of(
                    new Subset(Map.of("version", "next"), 5), new Subset(Map.of("zone", "a"), 60)));
    state.onUpstreams(
        nowNs,
        List.of(
            new Endpoint("a", 1, Map.of("version", "next", "zone", "a")),
            new Endpoint("b", 1, Map.of("zone", "a", "version", "now")),
            new Endpoint("c", 1, Map.of())));
    assertThat(state.views(nowNs).stream().map(UpstreamView::subset))
        .containsExactly(
            new UpstreamView.Subset(0, 5),
            new UpstreamView.Subset(1, 60),
            new UpstreamView.Subset(2, 35));
  }

  @Test
  void subset_withoutShare_isDrained() {
    Map<String, String> labels = Map.of("version", "next");
    PoolState state = state(p -> p.subsets = List.of(new Subset(labels, 0)));
    state.onUpstreams(nowNs, List.of(new Endpoint("a", 1, labels), new Endpoint("b", 1, Map.of())));
    state.onHealth(nowNs, "a", UpstreamHealth.SERVING);
    state.onHealth(nowNs, "b", UpstreamHealth.SERVING);
    assertThat(states(state)).containsExactly("a DRAINING", "b SERVING");
  }

  @Test
  void reconfigure_keepsStates() {
    PoolState state = state(p -> {});
    serving(state, "a", "b");
    state.onOutlierSignal(nowNs, "a", OutlierSignal.STALLED);
    state.reconfigure(nowNs, Fixtures.pool(p -> p.slowStart = Duration.ofSeconds(1)));
    state.onUpstreams(
        nowNs, List.of(new Endpoint("a", 7, Map.of("x", "y")), new Endpoint("b", 1, Map.of())));
    assertThat(states(state)).containsExactly("a EJECTED", "b SERVING");
    assertThat(state.views(nowNs).getFirst().weight()).isEqualTo(7);
    assertThat(state.views(nowNs).getFirst().labels()).isEqualTo(Map.of("x", "y"));
  }

  @Test
  void reconfigure_toFollowTheLeader_endsEjections() {
    PoolState state = state(p -> {});
    serving(state, "a", "b");
    state.onOutlierSignal(nowNs, "b", OutlierSignal.STALLED);
    state.reconfigure(nowNs, Fixtures.pool(p -> p.follow = Follow.LEADER));
    assertThat(states(state)).containsExactly("a DRAINING", "b SERVING");
    assertThat(recorder.events).endsWith("returned b");
  }

  private PoolState state(Consumer<Fixtures> options) {
    PoolConfig config = Fixtures.pool(options);
    return new PoolState(config, recorder);
  }

  private void upstreams(PoolState state, String... addresses) {
    state.onUpstreams(nowNs, Stream.of(addresses).map(a -> new Endpoint(a, 1, Map.of())).toList());
  }

  private void serving(PoolState state, String... addresses) {
    upstreams(state, addresses);
    for (String address : addresses) {
      state.onHealth(nowNs, address, UpstreamHealth.SERVING);
    }
  }

  private void toDeadline(PoolState state) {
    nowNs = state.nextDeadlineNs(nowNs).orElseThrow();
    state.onDeadline(nowNs);
  }

  private List<String> states(PoolState state) {
    return state.views(nowNs).stream().map(u -> u.address() + " " + u.state()).toList();
  }

  private List<Integer> percents(PoolState state) {
    return state.views(nowNs).stream().map(UpstreamView::slowStartPercent).toList();
  }
}
