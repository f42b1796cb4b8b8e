package dev.waymark.pool;

import dev.waymark.core.Balancer;
import dev.waymark.core.Mark;
import dev.waymark.core.UpstreamView;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The fewest connections for its weight; among equals in turn. Thread-safe, choosing takes no lock.
 */
final class LeastConnections implements Balancer {
  private final ConnectionCounts counts = new ConnectionCounts();
  private final AtomicLong tickets = new AtomicLong();

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

  @Override
  public void onAttached(UpstreamView upstream) {
    counts.onAttached(upstream);
  }

  @Override
  public void onDetached(UpstreamView upstream) {
    counts.onDetached(upstream);
  }
}
