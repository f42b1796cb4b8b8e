package dev.waymark.upstreams;

/** What became of an operator's request to drain an upstream, or to end that. Immutable. */
public enum OperatorDrain {
  DONE,
  /** There is no such upstream; or, to end it, no operator drains it. */
  UNKNOWN,
  /** The upstreams of the pool choose their leader: the bridge cannot choose another. */
  LEADER,
  /** The pool has too many drained upstreams. */
  TOO_MANY
}
