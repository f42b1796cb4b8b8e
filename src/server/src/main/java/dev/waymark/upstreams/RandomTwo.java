package dev.waymark.upstreams;

import dev.waymark.engine.lane.Candidate;
import dev.waymark.protocol.Mark;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Picks two candidates at random and chooses the one with fewer connections for its weight ("the
 * power of two choices": Mitzenmacher 2001). Unlike with least-connections, independent bridges do
 * not all choose the same upstream. Thread-safe; choosing takes no lock.
 */
final class RandomTwo implements Chooser {
  private final ConnectionCounts counts;

  /** The state of a SplitMix64 generator, which shards share without a lock. */
  private final AtomicLong state;

  RandomTwo(long seed, ConnectionCounts counts) {
    this.counts = counts;
    state = new AtomicLong(seed);
  }

  @Override
  public Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark) {
    int count = candidates.size();
    if (count == 1) {
      return candidates.getFirst();
    }
    long random = Hash.mix(state.getAndAdd(Hash.GOLDEN_GAMMA));
    int first = (int) ((random >>> 32) % count);
    int second = (int) ((random & 0xffff_ffffL) % (count - 1));
    Candidate one = candidates.get(first);
    Candidate two = candidates.get(second < first ? second : second + 1);
    return counts.isLess(two, one) ? two : one;
  }
}
