package dev.waymark.bridge;

import dev.waymark.engine.lane.LaneStatus;
import dev.waymark.engine.lane.UpstreamState;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which upstreams have announced on their lanes that they drain. Their health service need not say
 * so, and shards know it earlier than the control plane. For display. Thread-safe.
 */
final class LaneAnnouncements {
  /** Pool and address of each. */
  private volatile Set<List<String>> draining = Set.of();

  /** Replaces what was known by the lanes of all shards. */
  void onLanes(List<LaneStatus> lanes) {
    Map<List<String>, List<LaneStatus>> byUpstream =
        lanes.stream()
            .collect(Collectors.groupingBy(lane -> List.of(lane.pool(), lane.upstream())));
    byUpstream.values().removeIf(own -> !isDraining(own));
    draining = Set.copyOf(byUpstream.keySet());
  }

  /** Whether an upstream has announced Draining on all its open lanes. */
  static boolean isDraining(List<LaneStatus> ofOneUpstream) {
    return ofOneUpstream.stream().anyMatch(LaneStatus::isOpen)
        && ofOneUpstream.stream().filter(LaneStatus::isOpen).allMatch(LaneStatus::isDraining);
  }

  /** The state of an upstream that has announced Draining, or not. */
  static UpstreamState shown(UpstreamState state, boolean isDraining) {
    return switch (state) {
      case SERVING, EJECTED, STANDBY -> isDraining ? UpstreamState.DRAINING : state;
      case DRAINING, DOWN -> state;
    };
  }

  /** The state of an upstream by its view and its lanes, as of the last {@link #onLanes}. */
  UpstreamState shown(String pool, String upstream, UpstreamState state) {
    return shown(state, draining.contains(List.of(pool, upstream)));
  }
}
