package dev.waymark.sim;

import java.util.HashMap;
import java.util.Map;

/**
 * The complete input of a run: the same plan gives the same run. Immutable.
 *
 * @param steps how many steps have faults
 * @param connectionsMax how many clients are accepted at most
 * @param upstreamsMax caps the number of upstreams that the seed chooses
 * @param shardsMax caps the number of shards that the seed chooses
 */
record Plan(
    long seed, int steps, Faults faults, int connectionsMax, int upstreamsMax, int shardsMax) {
  /** Most runs are short, so that there are many of them. */
  private static final int STEPS_MIN = 150;

  private static final int STEPS_MAX = 900;
  private static final int NO_LIMIT = 9_999;

  /** The seed chooses faults and length. */
  static Plan any(long seed) {
    return of(seed, Faults.any(new Dice(seed)));
  }

  /** The seed chooses the length. */
  static Plan of(long seed, Faults faults) {
    int steps = STEPS_MIN + (int) Math.floorMod(seed * 31, (long) STEPS_MAX - STEPS_MIN);
    return of(seed, faults, steps);
  }

  static Plan of(long seed, Faults faults, int steps) {
    return new Plan(seed, steps, faults, NO_LIMIT, NO_LIMIT, NO_LIMIT);
  }

  /** Parses the format of {@link #toString}. */
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
