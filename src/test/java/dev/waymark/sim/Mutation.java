package dev.waymark.sim;

/** A defect put between the core and the world, to show that the checkers see it. */
enum Mutation {
  NONE,
  DROP_DATA,
  REORDER_DATA,
  DUPLICATE_REPLY_BYTE,
  FORGET_LIMITS,
  CLOSE_TWICE,
  LATE_DATA,
  LOSE_LAST
}
