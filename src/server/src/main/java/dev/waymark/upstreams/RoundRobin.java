package dev.waymark.upstreams;

import dev.waymark.engine.lane.Candidate;
import dev.waymark.protocol.Mark;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Chooses the candidates in turn, over all shards together. Thread-safe without locks.
 *
 * <p>Weights follow the static stride scheduler of gRPC's weighted_round_robin (gRFC A58): tickets
 * pass over the candidates round after round, and a candidate with weight w takes part in w of
 * every max(w) rounds, evenly spread. With equal weights all take part in every round, which is
 * exact alternation.
 */
final class RoundRobin implements Chooser {
  private final AtomicLong tickets = new AtomicLong();

  @Override
  public Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark) {
    int count = candidates.size();
    long weightMax = 1;
    for (int i = 0; i < count; i++) {
      weightMax = Math.max(weightMax, candidates.get(i).upstream().effectiveWeight());
    }
    while (true) {
      long ticket = tickets.getAndIncrement();
      long round = ticket / count;
      int index = (int) (ticket % count);
      Candidate candidate = candidates.get(index);
      int weight = candidate.upstream().effectiveWeight();
      if (takesPart(weight, round, weightMax * index / count, weightMax)) {
        return candidate;
      }
    }
  }

  /**
   * Whether the line with slope weight / weightMax passes an integer in this round (Bresenham); the
   * offset staggers equal weights.
   */
  private static boolean takesPart(long weight, long round, long offset, long weightMax) {
    long before = (round % weightMax) * weight + offset;
    return (before + weight) / weightMax != before / weightMax;
  }
}
