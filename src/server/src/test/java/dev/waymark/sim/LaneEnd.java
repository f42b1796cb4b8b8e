package dev.waymark.sim;

/** The upstream's end of a lane, as the world drives it. */
interface LaneEnd {
  /** It does something, or not. */
  void act();

  /** It does all that it can. */
  void heal();

  /** It has been an honest echo for this connection, and is. */
  boolean isEchoing(long connection);
}
