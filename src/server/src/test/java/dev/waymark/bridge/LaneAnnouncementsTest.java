package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.lane.LaneStatus;
import dev.waymark.engine.lane.UpstreamState;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LaneAnnouncementsTest {
  private final LaneAnnouncements announced = new LaneAnnouncements();

  private static LaneStatus lane(String upstream, boolean isOpen, boolean isDraining) {
    return new LaneStatus("p", upstream, isOpen, isDraining, "mode", 0);
  }

  @Test
  void upstream_drainingOnAllItsOpenLanes_isShownAsDraining() {
    announced.onLanes(
        List.of(
            lane("all", true, true),
            lane("all", true, true),
            lane("all", false, false),
            lane("some", true, true),
            lane("some", true, false),
            lane("none", false, false)));
    assertThat(announced.shown("p", "all", UpstreamState.SERVING))
        .isEqualTo(UpstreamState.DRAINING);
    assertThat(announced.shown("p", "all", UpstreamState.EJECTED))
        .isEqualTo(UpstreamState.DRAINING);
    assertThat(announced.shown("p", "all", UpstreamState.DOWN)).isEqualTo(UpstreamState.DOWN);
    for (String other : List.of("some", "none", "unknown")) {
      assertThat(announced.shown("p", other, UpstreamState.SERVING))
          .isEqualTo(UpstreamState.SERVING);
    }
    announced.onLanes(List.of(lane("all", true, false)));
    assertThat(announced.shown("p", "all", UpstreamState.SERVING))
        .as("another process has its address")
        .isEqualTo(UpstreamState.SERVING);
  }
}
