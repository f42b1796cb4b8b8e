package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.lane.UpstreamView.Subset;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.telemetry.Metrics;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class UpstreamMetricsTest {
  private final Metrics metrics = new Metrics();
  private final UpstreamMetrics upstreams = new UpstreamMetrics(metrics, new LaneAnnouncements());
  private long version;

  private static UpstreamView view(String address, UpstreamState state, String health) {
    return new UpstreamView(address, state, health, 1, 100, 0, Subset.WHOLE, Map.of());
  }

  private void snapshot(long nowUnixMs, UpstreamView... views) {
    upstreams.onSnapshot(new PoolSnapshot("game", version++, List.of(views)), nowUnixMs);
  }

  private List<String> text() {
    return new String(metrics.prometheusText(), UTF_8).lines().toList();
  }

  @Test
  void upstream_known_hasOneStateAndOneHealth() {
    snapshot(1_000, view("a:1", UpstreamState.SERVING, "SERVING"));
    assertThat(text())
        .contains(
            "waymark_upstream_state{pool=\"game\",state=\"serving\",upstream=\"a:1\"} 1.0",
            "waymark_upstream_state{pool=\"game\",state=\"ejected\",upstream=\"a:1\"} 0.0",
            "waymark_upstream_state{pool=\"game\",state=\"draining\",upstream=\"a:1\"} 0.0",
            "waymark_upstream_state{pool=\"game\",state=\"down\",upstream=\"a:1\"} 0.0",
            "waymark_upstream_health{health=\"serving\",pool=\"game\",upstream=\"a:1\"} 1.0",
            "waymark_upstream_health{health=\"unreachable\",pool=\"game\",upstream=\"a:1\"} 0.0");
  }

  @Test
  void stateOrHealth_changed_setsTimestamp() {
    String changed =
        "waymark_upstream_state_changed_timestamp_seconds{pool=\"game\",upstream=\"a:1\"} ";
    snapshot(1_500, view("a:1", UpstreamState.SERVING, "SERVING"));
    snapshot(
        2_500,
        view("a:1", UpstreamState.SERVING, "SERVING"),
        view("b:1", UpstreamState.DOWN, "UNKNOWN"));
    assertThat(text()).contains(changed + "1.5");
    snapshot(3_500, view("a:1", UpstreamState.EJECTED, "SERVING"));
    assertThat(text()).contains(changed + "3.5");
    snapshot(4_500, view("a:1", UpstreamState.DOWN, "UNREACHABLE"));
    assertThat(text())
        .contains(
            changed + "4.5",
            "waymark_upstream_state{pool=\"game\",state=\"down\",upstream=\"a:1\"} 1.0",
            "waymark_upstream_health{health=\"unreachable\",pool=\"game\",upstream=\"a:1\"} 1.0");
  }

  @Test
  void upstream_gone_leavesNoSeries() {
    snapshot(
        1_000,
        view("a:1", UpstreamState.SERVING, "SERVING"),
        view("b:1", UpstreamState.DOWN, "UNKNOWN"));
    snapshot(1_000, view("b:1", UpstreamState.DOWN, "UNKNOWN"));
    assertThat(text())
        .noneMatch(line -> line.contains("a:1"))
        .anyMatch(line -> line.contains("b:1"));
    upstreams.forgetPool("game");
    assertThat(text()).noneMatch(line -> line.contains("b:1"));
  }
}
