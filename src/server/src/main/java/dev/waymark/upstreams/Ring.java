package dev.waymark.upstreams;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/**
 * A consistent-hash ring (Karger and others 1997). Immutable.
 *
 * <p>An upstream's points depend only on its address, so a changed set of upstreams moves only the
 * keys of those that came or went. {@link #POINTS_MAX} bounds the ring: if it would be exceeded,
 * the points per unit of weight are halved, repeatedly, down to one. The points that remain are a
 * subset of the former ones, so this moves few keys, too. Weights are in hundredths, as {@link
 * dev.waymark.engine.lane.UpstreamView#effectiveWeight()}.
 */
final class Ring {
  static final int POINTS_PER_WEIGHT_MAX = 128;

  /** 1.5 MiB. Exceeded only if the sum of the weights is larger: each unit has at least a point. */
  static final int POINTS_MAX = 1 << 17;

  private static final int WEIGHT_UNIT = 100;

  private final Map<String, Integer> weights;
  private final Map<String, Integer> members = new HashMap<>();
  private final long[] points;
  private final int[] owners;

  Ring(Map<String, Integer> weights) {
    this.weights = Map.copyOf(weights);
    List<String> addresses = new ArrayList<>(this.weights.keySet());
    addresses.sort(null);
    int unit =
        pointsPerWeight(
            this.weights.values().stream().mapToLong(Integer::longValue).sum() / WEIGHT_UNIT);
    record Point(long hash, int owner) {}
    List<Point> unsorted = new ArrayList<>();
    for (int owner = 0; owner < addresses.size(); owner++) {
      String address = addresses.get(owner);
      members.put(address, owner);
      long seed = Hash.of(address);
      int count = pointCount(unit, weights.getOrDefault(address, WEIGHT_UNIT));
      for (int i = 1; i <= count; i++) {
        unsorted.add(new Point(Hash.mix(seed + i * Hash.GOLDEN_GAMMA), owner));
      }
    }
    unsorted.sort((a, b) ->
        a.hash != b.hash ? Long.compare(a.hash, b.hash) : Integer.compare(a.owner, b.owner));
    points = unsorted.stream().mapToLong(Point::hash).toArray();
    owners = unsorted.stream().mapToInt(Point::owner).toArray();
  }

  /** At least one, so that every member can be found. */
  private static int pointCount(int unit, int weight) {
    return (int) Math.max(1, (long) unit * weight / WEIGHT_UNIT);
  }

  private static int pointsPerWeight(long weightSum) {
    int unit = POINTS_PER_WEIGHT_MAX;
    while (unit > 1 && unit * weightSum > POINTS_MAX) {
      unit /= 2;
    }
    return unit;
  }

  /** Returns the weights by address. */
  Map<String, Integer> weights() {
    return weights;
  }

  /** Whether this upstream is on the ring with this weight. */
  boolean has(String address, int weight) {
    return weights.getOrDefault(address, 0) == weight;
  }

  int memberCount() {
    return members.size();
  }

  int pointCount() {
    return points.length;
  }

  /** Returns the number of a member; -1 if it is not on the ring. */
  int member(String address) {
    return members.getOrDefault(address, -1);
  }

  /** Returns the first eligible member clockwise from the key's position; -1 if there is none. */
  int find(long keyHash, IntPredicate isEligible) {
    int found = Arrays.binarySearch(points, keyHash);
    int start = found >= 0 ? found : -found - 1;
    for (int i = 0; i < points.length; i++) {
      int owner = owners[(start + i) % points.length];
      if (isEligible.test(owner)) {
        return owner;
      }
    }
    return -1;
  }
}
