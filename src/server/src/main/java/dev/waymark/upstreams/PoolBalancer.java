package dev.waymark.upstreams;

import dev.waymark.config.BalancingKeys;
import dev.waymark.config.BalancingKeys.HashBy;
import dev.waymark.config.BalancingKeys.Policy;
import dev.waymark.config.PoolConfig;
import dev.waymark.engine.lane.Candidate;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.lane.UpstreamView.Subset;
import dev.waymark.engine.pool.Balancer;
import dev.waymark.protocol.Mark;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The balancer of a pool: first the subset by its share in percent, then one of its upstreams by
 * the policy. Thread-safe, choosing takes no lock.
 *
 * <p>The policy may be replaced while shards choose. Connections are counted here, whatever the
 * policy, so that the next one knows what each upstream has. Which subset an upstream is of, and
 * its share, comes with the candidate: there is no moment at which both disagree.
 */
public final class PoolBalancer implements Balancer {
  /** The policy in force, with an instance for each subset: each goes in turns of its own. */
  private record Rule(Policy policy, HashBy hashBy, Map<Integer, Chooser> bySubset) {
    static Rule of(PoolConfig config) {
      return new Rule(
          config.get(BalancingKeys.POLICY),
          config.get(BalancingKeys.HASH_BY),
          new ConcurrentHashMap<>());
    }
  }

  private final ConnectionCounts counts = new ConnectionCounts();
  private final AtomicLong tickets = new AtomicLong();
  private final long seed;
  private volatile Rule rule;

  PoolBalancer(PoolConfig config, long seed) {
    this.seed = seed;
    this.rule = Rule.of(config);
  }

  /** Another policy, from the next choice on; by any thread. */
  public void reconfigure(PoolConfig next) {
    Rule now = rule;
    if (now.policy != next.get(BalancingKeys.POLICY)
        || now.hashBy != next.get(BalancingKeys.HASH_BY)) {
      rule = Rule.of(next);
    }
  }

  @Override
  public Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark) {
    Rule now = rule;
    List<? extends Candidate> inside = oneSubset(candidates, now, mark);
    int subset = inside.getFirst().upstream().subset().number();
    return now.bySubset.computeIfAbsent(subset, _ -> chooser(now)).choose(inside, clientHost, mark);
  }

  @Override
  public double share(List<? extends Candidate> candidates, Candidate of) {
    Subset own = of.upstream().subset();
    long weights = 0;
    for (Candidate candidate : candidates) {
      if (candidate.upstream().subset().number() == own.number()) {
        weights += candidate.upstream().effectiveWeight();
      }
    }
    double inside = (double) of.upstream().effectiveWeight() / weights;
    if (isOneSubset(candidates)) {
      return inside;
    }
    int percents = percents(shares(candidates));
    // Where all that are there have no share, choose() does not look at subsets either.
    return percents == 0 ? 1.0 / candidates.size() : inside * own.sharePercent() / percents;
  }

  @Override
  public boolean isByKey() {
    return isByKey(rule);
  }

  @Override
  public void onAttached(UpstreamView upstream) {
    counts.onAttached(upstream);
  }

  @Override
  public void onDetached(UpstreamView upstream) {
    counts.onDetached(upstream);
  }

  private static boolean isByKey(Rule rule) {
    return rule.policy == Policy.RING_HASH;
  }

  private Chooser chooser(Rule now) {
    return switch (now.policy) {
      case ROUND_ROBIN -> new RoundRobin();
      case LEAST_CONNECTIONS -> new LeastConnections(counts);
      case RANDOM_TWO -> new RandomTwo(seed, counts);
      case RING_HASH -> new RingHash(now.hashBy);
    };
  }

  /** The candidates of the subset whose turn it is. */
  private List<? extends Candidate> oneSubset(
      List<? extends Candidate> candidates, Rule now, Mark mark) {
    if (isOneSubset(candidates)) {
      return candidates;
    }
    Map<Integer, Integer> shares = shares(candidates);
    double place = (isByKey(now) ? fraction(mark) : nextFraction()) * percents(shares);
    int chosen = -1;
    for (Map.Entry<Integer, Integer> subset : shares.entrySet()) {
      place -= subset.getValue();
      if (place < 0) {
        chosen = subset.getKey();
        break;
      }
    }
    int number = chosen;
    return number < 0
        ? candidates
        : candidates.stream().filter(c -> c.upstream().subset().number() == number).toList();
  }

  private static boolean isOneSubset(List<? extends Candidate> candidates) {
    int first = candidates.getFirst().upstream().subset().number();
    for (int i = 1; i < candidates.size(); i++) {
      if (candidates.get(i).upstream().subset().number() != first) {
        return false;
      }
    }
    return true;
  }

  /** Number to percent, of the subsets that are there: the others leave their share to these. */
  private static Map<Integer, Integer> shares(List<? extends Candidate> candidates) {
    Map<Integer, Integer> shares = new TreeMap<>();
    for (Candidate candidate : candidates) {
      Subset subset = candidate.upstream().subset();
      shares.put(subset.number(), subset.sharePercent());
    }
    return shares;
  }

  private static int percents(Map<Integer, Integer> shares) {
    return shares.values().stream().mapToInt(Integer::intValue).sum();
  }

  /**
   * From 0 to 1, in the sequence of the golden ratio: of any number of choices in a row, each
   * subset gets its part to within one or two, which a coin would not do.
   */
  private double nextFraction() {
    return fraction(tickets.getAndIncrement() * Hash.GOLDEN_GAMMA);
  }

  /** Mixed once more than where ring-hash hashes the mark, on which it must not depend. */
  private static double fraction(Mark mark) {
    return fraction(Hash.mix(Hash.of(mark.toString()) + Hash.GOLDEN_GAMMA));
  }

  private static double fraction(long bits) {
    return (bits >>> 11) * 0x1.0p-53;
  }
}
