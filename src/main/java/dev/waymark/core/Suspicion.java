package dev.waymark.core;

/** What a shard holds against an upstream. Immutable. */
public enum Suspicion {
  /** A lane that worked broke. */
  LANE_BROKEN,
  /** A lane could not be opened, though the upstream says SERVING. */
  LANE_REFUSED,
  /** It refused a connection that another would take. */
  OPEN_REFUSED,
  /** A connection that it owned was taken from it by a clock: of its progress or its hand-over. */
  TIMED_OUT,
  /** More than half of the connections of a lane that wait for it have stalled (rule 7). */
  STALLED
}
