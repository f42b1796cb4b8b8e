package dev.waymark.bridge;

import dev.waymark.api.UpstreamStatus;
import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.upstreams.PoolReport;
import dev.waymark.upstreams.PoolReport.Ejection;
import dev.waymark.upstreams.discovery.SourceReport.Entry;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Says why an instance gets no new connections, as one sentence about it, without its address and
 * without times. Immutable.
 *
 * @param shown the upstream as it is shown
 */
record WhyUnused(PoolReport pool, PoolReport.Upstream upstream, UpstreamStatus shown) {
  /** Of an instance that the pool does not have; null: its source does not name it either. */
  static String notInPool(@Nullable Entry entry) {
    if (entry == null) {
      return "it is not listed any more; the connections that it has move to others";
    }
    return entry.withheld().isEmpty() ? "the pool is about to take it in" : entry.withheld();
  }

  /**
   * Of an upstream in this state; empty if it gets connections.
   *
   * @param hasAnnounced whether it has announced Draining on its lanes
   */
  String ofState(UpstreamState state, boolean hasAnnounced) {
    return switch (state) {
      case SERVING -> shown.openLanes() > 0 ? "" : "no lane to it is open";
      case STANDBY -> "it stands by: upstreams with a lower priority number serve";
      case EJECTED -> "it is ejected, as " + upstream.ejection().map(this::signal).orElse("before");
      case DRAINING -> draining(hasAnnounced);
      case DOWN -> down();
    };
  }

  private String draining(boolean hasAnnounced) {
    return switch (shown.drainedBy()) {
      case "operator" -> "an operator drains it";
      case "configuration" -> "its subset has no share of the connections";
      default ->
          otherLeader()
              .or(() -> hasAnnounced ? Optional.of("it has announced Draining") : Optional.empty())
              .orElseGet(() -> problemOr("its health service reported NOT_SERVING"));
    };
  }

  private String down() {
    boolean mayFollow = shown.health().equals("SERVING") || shown.health().equals("NOT_SERVING");
    return Optional.of(mayFollow)
        .filter(may -> may)
        .flatMap(_ -> otherLeader())
        .orElseGet(() -> problemOr("its health service has not answered yet"));
  }

  private Optional<String> otherLeader() {
    return pool.config().isFollowingLeader()
        ? pool.upstreams().stream()
            .map(PoolReport.Upstream::view)
            .filter(view -> view.state() == UpstreamState.SERVING)
            .findFirst()
            .map(leader -> "another one leads: " + leader.address())
        : Optional.empty();
  }

  private String problemOr(String otherwise) {
    return shown.problem().isEmpty() ? otherwise : shown.problem();
  }

  private String signal(Ejection ejection) {
    return switch (ejection.why()) {
      case LANE_BROKEN -> "lanes to it broke";
      case LANE_REFUSED -> "it refused lanes";
      case OPEN_REFUSED -> "it refused connections";
      case TIMED_OUT -> "it did not hand connections over in time";
      case STALLED -> "most connections of one of its lanes stalled";
      case HEALTH_FLOOD -> "its health service sent too much";
    };
  }
}
