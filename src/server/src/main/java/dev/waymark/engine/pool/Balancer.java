package dev.waymark.engine.pool;

import dev.waymark.engine.lane.Candidate;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.protocol.Mark;
import java.util.List;

/**
 * Chooses the upstream of a new connection. One instance serves all shards of a pool: thread-safe.
 */
public interface Balancer {
  /**
   * Chooses one.
   *
   * @param candidates those with an open lane that may take a connection; never empty; the list is
   *     only valid during the call
   * @param clientHost the client's IP address without port
   * @param mark of the new connection
   */
  Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark);

  /**
   * The part of all connections, 0 to 1, that this candidate should have beside the others.
   *
   * @param candidates as for {@link #choose}; the candidate is one of them
   */
  double share(List<? extends Candidate> candidates, Candidate of);

  /**
   * The choice follows from the connection and the candidates alone: who rebalances asks {@link
   * #choose} for each connection, since shares would move the wrong ones.
   */
  boolean isByKey();

  /** A connection was attached to this upstream, by any shard. */
  void onAttached(UpstreamView upstream);

  /** A connection left this upstream. */
  void onDetached(UpstreamView upstream);
}
