package dev.waymark.engine.lane;

/** Gives tests in other packages access to internals of a lane. Stateless. */
public final class LaneInspector {
  private LaneInspector() {}

  /** Makes the lane send a Ping. */
  public static void ping(Lane lane) {
    lane.sender().ping();
  }
}
