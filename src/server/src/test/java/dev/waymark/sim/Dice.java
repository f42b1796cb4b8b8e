package dev.waymark.sim;

import java.util.SplittableRandom;

/** The source of all randomness of a run: the same seed gives the same run. */
final class Dice {
  private final SplittableRandom random;

  Dice(long seed) {
    this(new SplittableRandom(seed));
  }

  private Dice(SplittableRandom random) {
    this.random = random;
  }

  /** Returns a number from 0 to {@code bound - 1}; 0 for a bound below 1. */
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

  /** Returns independent dice: how often they are used does not affect these. */
  Dice split() {
    return new Dice(random.split());
  }

  /** Like {@link #split}, for code that takes a {@link SplittableRandom}. */
  SplittableRandom splitRandom() {
    return random.split();
  }
}
