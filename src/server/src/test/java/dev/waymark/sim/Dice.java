package dev.waymark.sim;

import java.util.SplittableRandom;

/** All chance of one run: the same seed gives the same run. */
final class Dice {
  private final SplittableRandom random;

  Dice(long seed) {
    this(new SplittableRandom(seed));
  }

  private Dice(SplittableRandom random) {
    this.random = random;
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

  /** Dice for somebody else, who may throw them more or less often. */
  Dice split() {
    return new Dice(random.split());
  }

  /** The same for those who know no dice. */
  SplittableRandom splitRandom() {
    return random.split();
  }
}
