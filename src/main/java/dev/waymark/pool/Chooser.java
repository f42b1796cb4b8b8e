package dev.waymark.pool;

import dev.waymark.core.Balancer.Candidate;
import dev.waymark.core.Mark;
import java.util.List;

/** A policy: how one of several candidates is chosen. Thread-safe, since shards share it. */
interface Chooser {
  /** As {@link dev.waymark.core.Balancer#choose}, for candidates of one subset. */
  Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark);
}
