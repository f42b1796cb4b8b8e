package dev.waymark.sim;

import java.util.SplittableRandom;

/** All chance of one run: the same seed gives the same run. */
final class Dice {
  private final SplittableRandom random;

  Dice(long seed) {
    random = new SplittableRandom(seed);
  }

  /** From 0 to below the bound. */
  int upTo(int bound) {
    return bound <= 1 ? 0 : random.nextInt(bound);
  }

  boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  boolean chance(int ofTenThousand) {
    return ofTenThousand > 0 && random.nextInt(10_000) < ofTenThousand;
  }

  long any() {
    return random.nextLong();
  }

  /** Chance for somebody else, who may take more or less of it. */
  SplittableRandom split() {
    return random.split();
  }
}
