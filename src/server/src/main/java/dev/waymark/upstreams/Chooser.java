package dev.waymark.upstreams;

import dev.waymark.engine.lane.Candidate;
import dev.waymark.protocol.Mark;
import java.util.List;

/** A policy: how one of several candidates is chosen. Thread-safe, since shards share it. */
interface Chooser {
  /** As {@link dev.waymark.engine.pool.Balancer#choose}, for candidates of one subset. */
  Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark);
}
