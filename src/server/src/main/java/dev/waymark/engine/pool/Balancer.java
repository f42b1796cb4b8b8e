package dev.waymark.engine.pool;

import dev.waymark.engine.lane.Candidate;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.protocol.Mark;
import java.util.List;

/** Chooses the upstream of a connection. One instance serves all shards of a pool: thread-safe. */
public interface Balancer {
  /**
   * Chooses an upstream.
   *
   * @param candidates the upstreams with an open lane that may get a connection; never empty; valid
   *     only during the call
   * @param clientHost the client's IP address without port
   * @param mark the mark of the connection
   */
  Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark);

  /**
   * The share of all connections, 0 to 1, that this candidate should have.
   *
   * @param candidates as for {@link #choose}; the candidate is one of them
   */
  double share(List<? extends Candidate> candidates, Candidate of);

  /**
   * Whether the choice depends on the connection and the candidates alone. Rebalancing then calls
   * {@link #choose} for each connection, because by shares the wrong ones would move.
   */
  boolean isByKey();

  /** A connection was attached to this upstream, by any shard. */
  void onAttached(UpstreamView upstream);

  /** A connection left this upstream, in any shard. */
  void onDetached(UpstreamView upstream);
}
