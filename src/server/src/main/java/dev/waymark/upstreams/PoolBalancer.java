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
 * The balancer of a pool: chooses a subset by its share in percent, then one of its upstreams by
 * the policy. Thread-safe; choosing takes no lock.
 *
 * <p>The policy may be replaced while shards choose. Connections are counted under every policy, so
 * that the next one starts with correct counts. An upstream's subset and its share both come with
 * the candidate, so they always agree.
 */
public final class PoolBalancer implements Balancer {
  /** The current policy, with one chooser per subset, so that each subset has its own rotation. */
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

  /** Replaces the policy from the next choice on. May be called from any thread. */
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
    List<? extends Candidate> inSubset = chooseSubset(candidates, now, mark);
    int subset = inSubset.getFirst().upstream().subset().number();
    return now.bySubset
        .computeIfAbsent(subset, _ -> chooser(now))
        .choose(inSubset, clientHost, mark);
  }

  @Override
  public double share(List<? extends Candidate> candidates, Candidate of) {
    Subset own = of.upstream().subset();
    int percents = percents(shares(candidates));
    // As in choose(): where no subset has a share, all candidates are like one subset.
    boolean areSubsetsIgnored = percents == 0 || isSingleSubset(candidates);
    long weights = 0;
    for (Candidate candidate : candidates) {
      if (areSubsetsIgnored || candidate.upstream().subset().number() == own.number()) {
        weights += candidate.upstream().effectiveWeight();
      }
    }
    double inSubset = (double) of.upstream().effectiveWeight() / weights;
    return areSubsetsIgnored ? inSubset : inSubset * own.sharePercent() / percents;
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

  /** Chooses a subset and returns its candidates; all of them if every share is 0. */
  private List<? extends Candidate> chooseSubset(
      List<? extends Candidate> candidates, Rule now, Mark mark) {
    if (isSingleSubset(candidates)) {
      return candidates;
    }
    Map<Integer, Integer> shares = shares(candidates);
    double point = (isByKey(now) ? fraction(mark) : nextFraction()) * percents(shares);
    int chosen = -1;
    for (Map.Entry<Integer, Integer> subset : shares.entrySet()) {
      point -= subset.getValue();
      if (point < 0) {
        chosen = subset.getKey();
        break;
      }
    }
    int number = chosen;
    return number < 0
        ? candidates
        : candidates.stream().filter(c -> c.upstream().subset().number() == number).toList();
  }

  private static boolean isSingleSubset(List<? extends Candidate> candidates) {
    int first = candidates.getFirst().upstream().subset().number();
    for (int i = 1; i < candidates.size(); i++) {
      if (candidates.get(i).upstream().subset().number() != first) {
        return false;
      }
    }
    return true;
  }

  /** Returns the percentages of the subsets present, by number; these divide all connections. */
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
   * Returns the next number from 0 to 1 of the golden-ratio sequence: in any run of choices, each
   * subset gets its share to within one or two, which random numbers would not achieve.
   */
  private double nextFraction() {
    return fraction(tickets.getAndIncrement() * Hash.GOLDEN_GAMMA);
  }

  /** Mixed once more than ring-hash's hash of the mark, so that the two are independent. */
  private static double fraction(Mark mark) {
    return fraction(Hash.mix(Hash.of(mark.toString()) + Hash.GOLDEN_GAMMA));
  }

  private static double fraction(long bits) {
    return (bits >>> 11) * 0x1.0p-53;
  }
}
