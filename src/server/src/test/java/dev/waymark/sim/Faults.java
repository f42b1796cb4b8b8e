package dev.waymark.sim;

/**
 * How often things go wrong, each in 10,000 steps. Immutable.
 *
 * @param laneBreaks a lane breaks, however
 * @param partitions a lane passes nothing on any more
 * @param crashes an upstream process ends and takes its lanes along
 * @param freezes an upstream process stops, and its sockets stay
 * @param hangs an upstream works on a connection no more
 * @param drains an upstream says Draining
 * @param lateFrames an upstream sends for an attachment that is over
 * @param clientViolations a client sends what is no message
 * @param poisons a client sends what kills its upstreams
 * @param pushes no fault, but as often an upstream pushes to some client
 * @param standstills the bridge itself stands still, for seconds to a minute
 */
record Faults(
    int laneBreaks,
    int laneStalls,
    int partitions,
    int crashes,
    int freezes,
    int hangs,
    int drains,
    int lateFrames,
    int poisons,
    int clientResets,
    int clientVanishes,
    int clientStops,
    int clientViolations,
    int hostileFrames,
    int healthChanges,
    int pushes,
    int standstills) {
  static Faults none() {
    return new Faults(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 0);
  }

  /** Each kind present or not, at a rate of its own. */
  static Faults any(Dice dice) {
    return new Faults(
        rate(dice, 60),
        rate(dice, 600),
        rate(dice, 60),
        rate(dice, 30),
        rate(dice, 20),
        rate(dice, 300),
        rate(dice, 30),
        rate(dice, 3000),
        rate(dice, 1000),
        rate(dice, 150),
        rate(dice, 150),
        rate(dice, 400),
        rate(dice, 150),
        rate(dice, 500),
        rate(dice, 100),
        rate(dice, 3000),
        rate(dice, 60));
  }

  /** Upstreams come and go; none is hostile, and clients are patient. */
  static Faults moving() {
    return new Faults(30, 100, 120, 15, 10, 200, 30, 2000, 0, 0, 0, 0, 0, 0, 60, 2000, 40);
  }

  /** Clients send poison, and nothing else goes wrong. */
  static Faults poison() {
    return new Faults(0, 0, 0, 0, 0, 0, 0, 0, 1000, 0, 0, 0, 0, 0, 0, 50, 0);
  }

  /** Whoever loses an owner has lost it to poison. */
  boolean isPoisonAlone() {
    return equals(poison());
  }

  private static int rate(Dice dice, int most) {
    return dice.oneIn(2) ? 0 : dice.upTo(most);
  }
}
