package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FirstServingTest {
  private static final UpstreamView FIRST = view("a:1", true, "SERVING");

  private final FirstServing started = new FirstServing();
  private long version;

  private static UpstreamView view(String address, boolean isServing, String health) {
    return new UpstreamView(address, isServing, health, 1, Map.of());
  }

  private void upstreams(UpstreamView... views) {
    started.onSnapshot(new PoolSnapshot("pool", ++version, List.of(views)));
  }

  private boolean isProven() {
    return started.proven().getCount() == 0;
  }

  @Test
  void pool_firstServing_isProvenOnceOthersAnswer() {
    started.onLane("a:1");
    upstreams(FIRST, view("b:1", false, "UNKNOWN"));
    assertThat(started.serving().getCount()).isZero();
    assertThat(isProven()).isFalse();
    upstreams(FIRST, view("b:1", true, "SERVING"));
    assertThat(isProven()).isFalse();
    started.onLane("b:1");
    assertThat(isProven()).isTrue();
  }

  @Test
  void pool_othersDown_isProvenWithoutThem() {
    upstreams(FIRST, view("b:1", false, "UNREACHABLE"));
    started.onLane("a:1");
    assertThat(isProven()).isTrue();
  }

  @Test
  void pool_noneServing_isNotProven() {
    upstreams(view("a:1", false, "UNREACHABLE"));
    assertThat(started.serving().getCount()).isOne();
    assertThat(isProven()).isFalse();
  }
}
