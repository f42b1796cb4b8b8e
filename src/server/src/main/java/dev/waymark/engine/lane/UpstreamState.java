package dev.waymark.engine.lane;

/** What the shards may do with an upstream. Immutable. */
public enum UpstreamState {
  /** It may get new connections. */
  SERVING,
  /** It says that it serves, but misbehaves: it keeps its connections and gets no new ones. */
  EJECTED,
  /** It no longer wants connections, and those that it has move to others. */
  DRAINING,
  /** It serves, but so does one with a lower priority number, as far as the control plane knows. */
  STANDBY,
  /** Not known to serve; its connections stay while the lane lasts. */
  DOWN
}
