package dev.waymark.engine.lane;

/** An upstream that a balancer may choose for a connection. */
public interface Candidate {
  /** Its identity within the pool, and what balancing policies look at. */
  UpstreamView upstream();
}
