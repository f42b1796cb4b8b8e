package dev.waymark.sim;

import java.util.SplittableRandom;

/** How often things go wrong, each in 10,000 steps. Immutable. */
public record Faults(
    int laneBreaks,
    int laneStalls,
    int clientResets,
    int clientVanishes,
    int clientStops,
    int hostileFrames,
    int healthChanges) {
  static Faults none() {
    return new Faults(0, 0, 0, 0, 0, 0, 0);
  }

  /** Each kind present or not, at a rate of its own. */
  static Faults any(SplittableRandom random) {
    return new Faults(
        rate(random, 60),
        rate(random, 600),
        rate(random, 150),
        rate(random, 150),
        rate(random, 400),
        rate(random, 500),
        rate(random, 100));
  }

  private static int rate(SplittableRandom random, int most) {
    return random.nextBoolean() ? 0 : random.nextInt(most);
  }
}
