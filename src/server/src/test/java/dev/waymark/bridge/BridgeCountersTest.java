package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.base.ShardCounters;
import dev.waymark.telemetry.Metrics;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.Test;

class BridgeCountersTest {
  private final Metrics metrics = new Metrics();
  private final BridgeCounters counters = new BridgeCounters(metrics, Runnable::run);
  private final ShardCounters first = counters.forShard();
  private final ShardCounters second = counters.forShard();

  @Test
  void upstream_forgottenByAllShards_leavesNoSeries() {
    first.upstream("pool", "a:1");
    second.upstream("pool", "a:1");
    second.upstream("pool", "b:1");
    first.forgetUpstream("pool", "a:1");
    assertThat(text()).contains("a:1");
    second.forgetUpstream("pool", "a:1");
    assertThat(text()).doesNotContain("a:1").contains("b:1");
  }

  @Test
  void upstream_forgottenThenBack_isShownAgain() {
    first.upstream("pool", "a:1");
    first.forgetUpstream("pool", "a:1");
    first.upstream("pool", "a:1");
    assertThat(text()).contains("waymark_upstream_connections{pool=\"pool\",upstream=\"a:1\"} 0");
  }

  @Test
  void listener_forgotten_leavesNoSeriesAndCanReturn() {
    var before = first.listener("game");
    second.listener("game");
    counters.forgetListener("game");
    assertThat(text()).doesNotContain("game");
    assertThat(first.listener("game")).isNotSameAs(before);
    assertThat(text())
        .contains("waymark_connections_accepted_total{listener=\"game\"} 0")
        .contains("reason=\"connection_age\"");
  }

  @Test
  void upstreams_hundreds_areRegisteredByTheRegistrar() {
    Deque<Runnable> later = new ArrayDeque<>();
    ShardCounters shard = new BridgeCounters(metrics, later::add).forShard();
    for (int i = 0; i < 500; i++) {
      shard.upstream("pool", "u:" + i);
    }
    shard.forgetUpstream("pool", "u:7");
    assertThat(text()).as("the shard leaves it to the registrar").doesNotContain("u:");
    later.forEach(Runnable::run);
    assertThat(text()).contains("\"u:499\"").doesNotContain("\"u:7\"");
  }

  private String text() {
    return new String(metrics.prometheusText(), UTF_8);
  }
}
