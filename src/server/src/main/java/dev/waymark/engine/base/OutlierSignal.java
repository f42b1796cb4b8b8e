package dev.waymark.engine.base;

/** Evidence against an upstream, for which outlier detection may eject it. Immutable. */
public enum OutlierSignal {
  /** A lane that worked broke. */
  LANE_BROKEN,
  /** A lane could not be opened, though the upstream says SERVING. */
  LANE_REFUSED,
  /** It refused a connection that another would take. */
  OPEN_REFUSED,
  /** It did not hand a connection over, or end a commit, in time. */
  TIMED_OUT,
  /** More than half of the connections of a lane that wait for it have stalled (rule 7). */
  STALLED,
  /** Its health service changes its mind, or answers, too often, or floods the bridge otherwise. */
  HEALTH_FLOOD
}
