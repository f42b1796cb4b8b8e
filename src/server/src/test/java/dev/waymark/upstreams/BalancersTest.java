package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.waymark.config.BalancingKeys.HashBy;
import dev.waymark.config.BalancingKeys.Policy;
import dev.waymark.engine.lane.Candidate;
import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.lane.UpstreamView.Subset;
import dev.waymark.engine.pool.Balancer;
import dev.waymark.protocol.Mark;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BalancersTest {
  private static final int KEYS = 20_000;

  private record Upstream(UpstreamView upstream) implements Candidate {}

  @Test
  void roundRobin_twoShards_alternatesExactlyOverBoth() {
    Balancer balancer = balancer(Policy.ROUND_ROBIN, HashBy.CLIENT_ADDRESS);
    List<Upstream> shardA = upstreams(1, 1, 1);
    List<Upstream> shardB = upstreams(1, 1, 1);

    List<String> chosen = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      chosen.add(choose(balancer, i % 2 == 0 ? shardA : shardB, i));
    }

    assertThat(chosen)
        .containsExactly(
            "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1");
  }

  @Test
  void roundRobin_weights_areExactOverAPeriodAndSpread() {
    Balancer balancer = balancer(Policy.ROUND_ROBIN, HashBy.CLIENT_ADDRESS);
    List<Upstream> upstreams = upstreams(5, 1, 2);

    List<String> chosen =
        IntStream.range(0, 800).mapToObj(i -> choose(balancer, upstreams, i)).toList();

    assertThat(count(chosen))
        .isEqualTo(Map.of("10.0.0.1:1", 500, "10.0.0.2:1", 100, "10.0.0.3:1", 200));
    assertThat(
            IntStream.range(0, 792)
                .map(i ->
                    (int) chosen.subList(i, i + 8).stream().filter("10.0.0.3:1"::equals).count()))
        .as("light candidates come evenly spread, not in a row")
        .allMatch(twos -> twos >= 1 && twos <= 3);
  }

  @Test
  void roundRobin_equalWeightsAboveOne_alternates() {
    Balancer balancer = balancer(Policy.ROUND_ROBIN, HashBy.CLIENT_ADDRESS);
    List<Upstream> upstreams = upstreams(1000, 1000);
    assertThat(IntStream.range(0, 4).mapToObj(i -> choose(balancer, upstreams, i)))
        .containsExactly("10.0.0.1:1", "10.0.0.2:1", "10.0.0.1:1", "10.0.0.2:1");
  }

  @Test
  void leastConnections_unevenLoad_choosesTheEmptiest() {
    Balancer balancer = balancer(Policy.LEAST_CONNECTIONS, HashBy.CLIENT_ADDRESS);
    List<Upstream> upstreams = upstreams(1, 1, 1);
    attach(balancer, upstreams.get(0), 3);
    attach(balancer, upstreams.get(1), 1);
    attach(balancer, upstreams.get(2), 2);

    assertThat(choose(balancer, upstreams, 0)).isEqualTo("10.0.0.2:1");
    balancer.onDetached(upstreams.get(2).upstream());
    balancer.onDetached(upstreams.get(2).upstream());
    assertThat(choose(balancer, upstreams, 1)).isEqualTo("10.0.0.3:1");
  }

  @Test
  void leastConnections_ties_takeTurns() {
    Balancer balancer = balancer(Policy.LEAST_CONNECTIONS, HashBy.CLIENT_ADDRESS);
    List<Upstream> upstreams = upstreams(1, 1);
    assertThat(IntStream.range(0, 4).mapToObj(i -> choose(balancer, upstreams, i)))
        .containsExactly("10.0.0.1:1", "10.0.0.2:1", "10.0.0.1:1", "10.0.0.2:1");
  }

  @Test
  void leastConnections_weights_fillInProportion() {
    Balancer balancer = balancer(Policy.LEAST_CONNECTIONS, HashBy.CLIENT_ADDRESS);
    assertThat(count(fill(balancer, upstreams(3, 1), 400)))
        .isEqualTo(Map.of("10.0.0.1:1", 300, "10.0.0.2:1", 100));
  }

  @Test
  void randomTwo_manyConnections_areNearlyEven() {
    Balancer balancer = balancer(Policy.RANDOM_TWO, HashBy.CLIENT_ADDRESS);
    assertThat(count(fill(balancer, upstreams(1, 1, 1, 1, 1), 5_000)).values())
        .hasSize(5)
        .allSatisfy(connections -> assertThat(connections).isCloseTo(1_000, within(20)));
  }

  @Test
  void randomTwo_fullestOfAll_isNeverChosen() {
    Balancer balancer = balancer(Policy.RANDOM_TWO, HashBy.CLIENT_ADDRESS);
    List<Upstream> upstreams = upstreams(1, 1, 1);
    attach(balancer, upstreams.get(1), 10);
    assertThat(IntStream.range(0, 1_000).mapToObj(i -> choose(balancer, upstreams, i)))
        .doesNotContain("10.0.0.2:1");
  }

  @ParameterizedTest
  @EnumSource(HashBy.class)
  void ringHash_oneOfFiveLost_movesOnlyItsKeys(HashBy hashBy) {
    Balancer balancer = balancer(Policy.RING_HASH, hashBy);
    List<Upstream> five = upstreams(1, 1, 1, 1, 1);
    List<Upstream> four =
        five.stream().filter(u -> !u.upstream().address().equals("10.0.0.3:1")).toList();

    for (int key = 0; key < KEYS; key++) {
      String before = choose(balancer, five, key);
      String after = choose(balancer, four, key);
      if (before.equals("10.0.0.3:1")) {
        assertThat(after).isNotEqualTo(before);
      } else {
        assertThat(after).isEqualTo(before);
      }
    }
  }

  @Test
  void ringHash_skippingLostMembers_equalsARingWithoutThem() {
    Balancer withHistory = balancer(Policy.RING_HASH, HashBy.CLIENT_ADDRESS);
    Balancer fresh = balancer(Policy.RING_HASH, HashBy.CLIENT_ADDRESS);
    List<Upstream> five = upstreams(1, 2, 3, 1, 1);
    choose(withHistory, five, 0);
    for (int key = 0; key < KEYS; key++) {
      assertThat(choose(withHistory, five.subList(1, 4), key))
          .isEqualTo(choose(fresh, five.subList(1, 4), key));
    }
  }

  @Test
  void ringHash_keys_spreadByWeight() {
    Balancer balancer = balancer(Policy.RING_HASH, HashBy.CLIENT_ADDRESS);
    List<Upstream> upstreams = upstreams(1, 1, 2);
    Map<String, Integer> counts =
        count(IntStream.range(0, KEYS).mapToObj(key -> choose(balancer, upstreams, key)).toList());
    assertThat(counts.get("10.0.0.1:1")).isCloseTo(KEYS / 4, within(KEYS / 20));
    assertThat(counts.get("10.0.0.2:1")).isCloseTo(KEYS / 4, within(KEYS / 20));
    assertThat(counts.get("10.0.0.3:1")).isCloseTo(KEYS / 2, within(KEYS / 20));
  }

  @Test
  void ringHash_upstreamsThatComeAndGo_areDropped() {
    var balancer = new RingHash(HashBy.CLIENT_ADDRESS);
    for (int i = 0; i < 2_000; i++) {
      var one =
          new Upstream(
              new UpstreamView(
                  "10.1." + i / 250 + "." + i % 250 + ":1", true, "SERVING", 1, Map.of()));
      assertThat(balancer.choose(List.of(one), "192.0.2.1", new Mark(7, i + 1))).isSameAs(one);
    }
    assertThat(balancer.memberCount()).isLessThan(100);
  }

  @Test
  void ring_heavyWeights_staysBounded() {
    Map<String, Integer> weights = new HashMap<>();
    IntStream.range(0, 100).forEach(i -> weights.put("10.0.0." + i + ":1", 1_000 * 100));
    assertThat(new Ring(weights).pointCount()).isEqualTo(100_000);
    assertThat(new Ring(Map.of("a:1", 100)).pointCount()).isEqualTo(Ring.POINTS_PER_WEIGHT_MAX);
  }

  @ParameterizedTest
  @EnumSource(Policy.class)
  void share_byWeight_matchesChoices(Policy policy) {
    Balancer balancer = balancer(policy, HashBy.MARK);
    List<Upstream> upstreams = upstreams(1, 1, 2);
    Map<String, Integer> counts = count(fill(balancer, upstreams, KEYS));
    for (Upstream upstream : upstreams) {
      double share = balancer.share(upstreams, upstream);
      assertThat(share).isEqualTo(upstream.upstream().weight() / 4.0);
      assertThat(counts.get(upstream.upstream().address()))
          .isCloseTo((int) (KEYS * share), within(KEYS / 20));
    }
  }

  @Test
  void isByKey_isTrueOnlyForRingHash() {
    assertThat(balancer(Policy.RING_HASH, HashBy.MARK).isByKey()).isTrue();
    assertThat(balancer(Policy.ROUND_ROBIN, HashBy.MARK).isByKey()).isFalse();
    assertThat(balancer(Policy.LEAST_CONNECTIONS, HashBy.MARK).isByKey()).isFalse();
    assertThat(balancer(Policy.RANDOM_TWO, HashBy.MARK).isByKey()).isFalse();
  }

  @ParameterizedTest
  @EnumSource(value = Policy.class, names = "RING_HASH", mode = EnumSource.Mode.EXCLUDE)
  void subsets_ofAThousandConnections_getTheirShareToWithinOne(Policy policy) {
    Balancer balancer = balancer(policy, HashBy.MARK);
    Map<String, Integer> counts = count(fill(balancer, canary(), 1_000));
    assertThat(counts.get("canary:1")).isCloseTo(50, within(1));
    assertThat(counts.get("old:1")).isCloseTo(475, within(10));
    assertThat(counts.get("old:2")).isCloseTo(475, within(10));
  }

  @ParameterizedTest
  @EnumSource(HashBy.class)
  void subsets_ofRingHash_followFromTheMark(HashBy hashBy) {
    Balancer balancer = balancer(Policy.RING_HASH, hashBy);
    int chosen = 0;
    for (int key = 0; key < KEYS; key++) {
      Mark mark = new Mark(7, key + 1);
      String first = balancer.choose(canary(), "192.0.2." + key, mark).upstream().address();
      assertThat(balancer.choose(canary(), "192.0.2." + key, mark).upstream().address())
          .isEqualTo(first);
      chosen += first.equals("canary:1") ? 1 : 0;
    }
    assertThat(chosen).isCloseTo(KEYS / 20, within(KEYS / 200));
  }

  @Test
  void subset_hashedByMark_spreadsItsConnections() {
    Balancer balancer = balancer(Policy.RING_HASH, HashBy.MARK);
    List<Upstream> upstreams =
        List.of(inSubset("a:1", 1, 0, 10), inSubset("a:2", 1, 0, 10), inSubset("b:1", 1, 1, 90));
    Map<String, Integer> counts = count(fill(balancer, upstreams, KEYS));
    assertThat(counts.get("a:1")).isCloseTo(KEYS / 20, within(KEYS / 80));
    assertThat(counts.get("a:2")).isCloseTo(KEYS / 20, within(KEYS / 80));
  }

  @Test
  void subset_withoutCandidates_leavesItsShareToOthers() {
    Balancer balancer = balancer(Policy.ROUND_ROBIN, HashBy.MARK);
    List<Upstream> upstreams = List.of(inSubset("a:1", 1, 0, 20), inSubset("c:1", 1, 2, 60));
    assertThat(count(fill(balancer, upstreams, 1_000)).get("a:1")).isCloseTo(250, within(2));
    assertThat(balancer.share(upstreams, upstreams.getFirst())).isEqualTo(0.25);
    List<Upstream> alone = List.of(inSubset("a:1", 1, 0, 0));
    assertThat(fill(balancer, alone, 1)).containsExactly("a:1");
    assertThat(balancer.share(alone, alone.getFirst())).isEqualTo(1.0);
  }

  @Test
  void subsets_allWithoutShare_areIgnored() {
    Balancer balancer = balancer(Policy.ROUND_ROBIN, HashBy.MARK);
    List<Upstream> upstreams = List.of(inSubset("a:1", 1, 0, 0), inSubset("c:1", 1, 2, 0));
    assertThat(count(fill(balancer, upstreams, 10)).values()).containsExactly(5, 5);
    assertThat(balancer.share(upstreams, upstreams.getFirst())).isEqualTo(0.5);
    List<Upstream> weighted = List.of(inSubset("a:1", 3, 0, 0), inSubset("c:1", 1, 2, 0));
    assertThat(count(fill(balancer, weighted, 400)).get("a:1")).isCloseTo(300, within(2));
    assertThat(balancer.share(weighted, weighted.getFirst())).isEqualTo(0.75);
  }

  @Test
  void share_ofASubset_isDividedByWeight() {
    Balancer balancer = balancer(Policy.ROUND_ROBIN, HashBy.MARK);
    List<Upstream> upstreams =
        List.of(inSubset("a:1", 3, 0, 20), inSubset("a:2", 1, 0, 20), inSubset("b:1", 9, 1, 80));
    assertThat(upstreams.stream().map(u -> balancer.share(upstreams, u)))
        .containsExactly(0.15, 0.05, 0.8);
  }

  @ParameterizedTest
  @EnumSource(value = Policy.class, names = "RANDOM_TWO", mode = EnumSource.Mode.EXCLUDE)
  void slowStart_reducesShare(Policy policy) {
    Balancer balancer = balancer(policy, HashBy.MARK);
    List<Upstream> upstreams = List.of(slowStarting("a:1", 100), slowStarting("b:1", 25));
    Map<String, Integer> counts = count(fill(balancer, upstreams, KEYS));
    assertThat(counts.get("b:1")).isCloseTo(KEYS / 5, within(KEYS / 25));
    assertThat(balancer.share(upstreams, upstreams.getLast())).isEqualTo(0.2);
  }

  @Test
  void reconfigure_toAnotherPolicy_keepsConnectionCounts() {
    PoolBalancer balancer = balancer(Policy.ROUND_ROBIN, HashBy.MARK);
    List<Upstream> upstreams = upstreams(1, 1);
    attach(balancer, upstreams.getFirst(), 10);
    balancer.reconfigure(Fixtures.pool(p -> p.policy = Policy.LEAST_CONNECTIONS));
    assertThat(fill(balancer, upstreams, 10)).containsOnly("10.0.0.2:1");
    balancer.reconfigure(Fixtures.pool(p -> p.policy = Policy.RING_HASH));
    assertThat(balancer.isByKey()).isTrue();
  }

  private static List<Upstream> canary() {
    return List.of(
        inSubset("canary:1", 1, 0, 5), inSubset("old:1", 1, 1, 95), inSubset("old:2", 1, 1, 95));
  }

  private static Upstream inSubset(String address, int weight, int number, int percent) {
    return new Upstream(
        new UpstreamView(
            address,
            UpstreamState.SERVING,
            "SERVING",
            weight,
            100,
            0,
            new Subset(number, percent),
            Map.of()));
  }

  private static Upstream slowStarting(String address, int percent) {
    return new Upstream(
        new UpstreamView(
            address, UpstreamState.SERVING, "SERVING", 1, percent, 0, Subset.WHOLE, Map.of()));
  }

  private static PoolBalancer balancer(Policy policy, HashBy hashBy) {
    return Balancers.create(
        Fixtures.pool(p -> {
          p.policy = policy;
          p.hashBy = hashBy;
        }),
        new SplittableRandom(1));
  }

  private static List<Upstream> upstreams(int... weights) {
    return IntStream.range(0, weights.length)
        .mapToObj(i ->
            new Upstream(
                new UpstreamView(
                    "10.0.0." + (i + 1) + ":1", true, "SERVING", weights[i], Map.of())))
        .toList();
  }

  private static String choose(Balancer balancer, List<Upstream> candidates, int key) {
    return balancer.choose(candidates, "192.0.2." + key, new Mark(7, key + 1)).upstream().address();
  }

  private static void attach(Balancer balancer, Upstream upstream, int connections) {
    IntStream.range(0, connections).forEach(i -> balancer.onAttached(upstream.upstream()));
  }

  private static List<String> fill(Balancer balancer, List<Upstream> candidates, int connections) {
    List<String> chosen = new ArrayList<>();
    for (int i = 0; i < connections; i++) {
      Candidate candidate = balancer.choose(candidates, "192.0.2.1", new Mark(7, i + 1));
      balancer.onAttached(candidate.upstream());
      chosen.add(candidate.upstream().address());
    }
    return chosen;
  }

  private static Map<String, Integer> count(List<String> chosen) {
    Map<String, Integer> counts = new HashMap<>();
    chosen.forEach(address -> counts.merge(address, 1, Integer::sum));
    return counts;
  }
}
