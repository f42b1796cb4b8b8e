package dev.waymark.engine.lane;

/** What the shards may do with an upstream. */
public enum UpstreamState {
  /** New connections may be given to it. */
  SERVING,
  /** It serves by its own account, but misbehaved: it keeps what it has and gets nothing new. */
  EJECTED,
  /** It wants to have no connections any more: those that it has move to others. */
  DRAINING,
  /** Not known to serve; what it has stays, as long as the lane says nothing else. */
  DOWN
}
