package dev.waymark.upstreams;

import dev.waymark.engine.lane.Candidate;
import dev.waymark.protocol.Mark;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Chooses the upstream with the fewest connections for its weight; equals take turns. Thread-safe;
 * choosing takes no lock.
 */
final class LeastConnections implements Chooser {
  private final ConnectionCounts counts;
  private final AtomicLong tickets = new AtomicLong();

  LeastConnections(ConnectionCounts counts) {
    this.counts = counts;
  }

  @Override
  public Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark) {
    int count = candidates.size();
    int first = (int) (tickets.getAndIncrement() % count);
    Candidate best = candidates.get(first);
    for (int i = 1; i < count; i++) {
      Candidate other = candidates.get((first + i) % count);
      if (counts.isLess(other, best)) {
        best = other;
      }
    }
    return best;
  }
}
