package dev.waymark.upstreams;

import dev.waymark.config.BalancingKeys.HashBy;
import dev.waymark.engine.lane.Candidate;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.protocol.Mark;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Sends the same key to the same upstream while that upstream is available. Thread-safe without
 * locks: a ring is immutable and replaced as a whole; if two shards replace it at the same time,
 * the work is merely done twice.
 *
 * <p>Shards may see different candidates, and upstreams come and go. So a ring keeps members that
 * are not candidates at the moment and skips them, with the same result as a ring of only the
 * candidates. A new ring is built only for a candidate that is missing or has a new weight; it
 * drops the other members if they far outnumber the candidates.
 */
final class RingHash implements Chooser {
  private static final int EXTRA_MEMBERS_MAX = 64;

  private final HashBy hashBy;
  private volatile Ring ring = new Ring(Map.of());

  RingHash(HashBy hashBy) {
    this.hashBy = hashBy;
  }

  @Override
  public Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark) {
    Ring current = ringWith(candidates);
    Candidate[] byMember = new Candidate[current.memberCount()];
    for (Candidate candidate : candidates) {
      byMember[current.member(candidate.upstream().address())] = candidate;
    }
    long key =
        Hash.of(
            switch (hashBy) {
              case CLIENT_ADDRESS -> clientHost;
              case MARK -> mark.toString();
            });
    return byMember[current.find(key, member -> byMember[member] != null)];
  }

  int memberCount() {
    return ring.memberCount();
  }

  private Ring ringWith(List<? extends Candidate> candidates) {
    Ring current = ring;
    for (Candidate candidate : candidates) {
      if (!current.has(candidate.upstream().address(), candidate.upstream().effectiveWeight())) {
        Ring next = grown(current, candidates);
        ring = next;
        return next;
      }
    }
    return current;
  }

  private static Ring grown(Ring current, List<? extends Candidate> candidates) {
    boolean isPruning = current.memberCount() > 2 * candidates.size() + EXTRA_MEMBERS_MAX;
    Map<String, Integer> weights = new HashMap<>(isPruning ? Map.of() : current.weights());
    for (Candidate candidate : candidates) {
      UpstreamView upstream = candidate.upstream();
      weights.put(upstream.address(), upstream.effectiveWeight());
    }
    return new Ring(weights);
  }
}
