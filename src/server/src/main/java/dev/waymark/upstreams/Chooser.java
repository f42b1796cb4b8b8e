package dev.waymark.upstreams;

import dev.waymark.engine.lane.Candidate;
import dev.waymark.protocol.Mark;
import java.util.List;

/** A balancing policy: chooses one of several candidates. Thread-safe, since shards share it. */
interface Chooser {
  /** Like {@link dev.waymark.engine.pool.Balancer#choose}, for candidates of one subset. */
  Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark);
}
