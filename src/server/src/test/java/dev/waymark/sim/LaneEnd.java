package dev.waymark.sim;

/** The upstream's end of a lane, driven by the simulation. */
interface LaneEnd {
  /** Takes one random action, or none. */
  void act();

  /** Completes everything that can be completed. */
  void heal();

  /** Whether it serves this connection and has always been an honest echo for it. */
  boolean isEchoing(long connection);
}
