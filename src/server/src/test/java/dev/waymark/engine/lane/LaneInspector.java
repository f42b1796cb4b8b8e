package dev.waymark.engine.lane;

/** Opens what tests of other packages need of a lane and nobody else does. Stateless. */
public final class LaneInspector {
  private LaneInspector() {}

  /** Something to send that nobody else asked for. */
  public static void ping(Lane lane) {
    lane.sender().ping();
  }
}
