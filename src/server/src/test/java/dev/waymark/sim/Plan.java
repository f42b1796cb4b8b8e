package dev.waymark.sim;

import java.util.HashMap;
import java.util.Map;

/**
 * All that a run follows from: the same plan gives the same run. Immutable.
 *
 * @param steps before the faults end
 * @param connectionsMax no more clients come
 * @param upstreamsMax of those that the seed chooses, so many are there at most
 * @param shardsMax the same of shards
 */
record Plan(
    long seed, int steps, Faults faults, int connectionsMax, int upstreamsMax, int shardsMax) {
  /** Most runs are short, so that there are many of them. */
  private static final int STEPS_MIN = 150;

  private static final int STEPS_MAX = 900;
  private static final int NO_LIMIT = 9_999;

  /** As long, and with such faults, as the seed chooses. */
  static Plan any(long seed) {
    return of(seed, Faults.any(new Dice(seed)));
  }

  /** As long as the seed chooses. */
  static Plan of(long seed, Faults faults) {
    int steps = STEPS_MIN + (int) Math.floorMod(seed * 31, (long) STEPS_MAX - STEPS_MIN);
    return of(seed, faults, steps);
  }

  static Plan of(long seed, Faults faults, int steps) {
    return new Plan(seed, steps, faults, NO_LIMIT, NO_LIMIT, NO_LIMIT);
  }

  /** As {@link #toString} says it. */
  static Plan parse(String text) {
    Map<String, String> fields = new HashMap<>();
    for (String field : text.split(",")) {
      String[] parts = field.split("=", 2);
      fields.put(parts[0], parts[1]);
    }
    return new Plan(
        Long.parseLong(fields.get("seed")),
        Integer.parseInt(fields.get("steps")),
        Faults.parse(fields.get("faults")),
        Integer.parseInt(fields.get("connections")),
        Integer.parseInt(fields.get("upstreams")),
        Integer.parseInt(fields.get("shards")));
  }

  Plan withSteps(int count) {
    return new Plan(seed, count, faults, connectionsMax, upstreamsMax, shardsMax);
  }

  Plan withFaults(Faults others) {
    return new Plan(seed, steps, others, connectionsMax, upstreamsMax, shardsMax);
  }

  Plan withConnectionsMax(int count) {
    return new Plan(seed, steps, faults, count, upstreamsMax, shardsMax);
  }

  Plan withUpstreamsMax(int count) {
    return new Plan(seed, steps, faults, connectionsMax, count, shardsMax);
  }

  Plan withShardsMax(int count) {
    return new Plan(seed, steps, faults, connectionsMax, upstreamsMax, count);
  }

  @Override
  public String toString() {
    return "seed="
        + seed
        + ",steps="
        + steps
        + ",connections="
        + connectionsMax
        + ",upstreams="
        + upstreamsMax
        + ",shards="
        + shardsMax
        + ",faults="
        + faults;
  }
}
