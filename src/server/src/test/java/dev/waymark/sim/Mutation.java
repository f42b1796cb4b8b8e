package dev.waymark.sim;

/**
 * A deliberate defect, injected between the engine and the simulated world or into the engine's
 * state, that a checker has to catch. Named after the wrong behaviour.
 */
enum Mutation {
  NONE(""),
  DROP_DATA("rule 1"),
  REORDER_DATA("rule 1"),
  LOSE_LAST("rule 1"),
  DUPLICATE_REPLY_BYTE("rule 1"),
  FORGET_LIMITS("rule 2"),
  LIMIT_GOES_DOWN("rule 2"),
  REPLAY_FROM_SENT("rule 3"),
  REPLAY_TOO_MUCH("rule 3"),
  FORGET_COMMITTED("rule 3"),
  LOSE_CONTEXT("rule 3"),
  /** An incomplete commit takes effect. */
  APPLY_UNFINISHED("rule 1"),
  /** Every commit counts as the end of a reply. */
  END_REPLIES_EARLY("rule 6"),
  PUSH_NOT_ANSWERED("rule 6"),
  PUSH_ANSWERED_FALSELY("rule 6"),
  FENCE_BUSY_OWNER("rule 7"),
  CLOSE_TWICE("rule 8"),
  LIMIT_AFTER_CLOSE("rule 8"),
  FENCED_NOT_SENT("rule 8"),
  EPOCH_NOT_RAISED("rule 8"),
  /** A frame of an older epoch on a live lane takes effect. */
  ACCEPT_LATE_FRAME("rule 1"),
  /** A frame of a lane that is over takes effect. */
  ACCEPT_DEAD_LANE_FRAME("rule 1"),
  DATA_AFTER_RELEASE("rule 9"),
  FALSE_CAUSE("rule 9"),
  RELEASE_TWICE("rule 9"),
  /** Standstills of the bridge count as elapsed time. */
  CHARGE_STANDSTILLS("standstills"),
  /** The SDK sends bytes that a former owner has already committed. */
  SDK_SENDS_AGAIN("rule 1"),
  /** The shard does not request a call for a deadline. */
  DEADLINE_NOT_REQUESTED("deadlines"),
  /** The shard requests a call, but then reports a later deadline. */
  DEADLINE_DENIED("deadlines"),
  /** In the engine: every lost owner counts as evidence of poison. */
  BLAME_EVERYONE("rule 3 (innocents)"),
  /** In the engine: no lost owner counts as evidence of poison. */
  BLAME_NOBODY("rule 3 (innocents)"),
  /** The engine waits too short a time for upstreams to come back. */
  IMPATIENT("rule 3 (innocents)"),
  /** In the engine: waiting connections are forgotten, and never placed. */
  FORGET_WAITING(Mutation.WAITING),
  /** In the engine: attached connections are queued for placement again. */
  PLACE_ATTACHED(Mutation.WAITING);

  private static final String WAITING =
      "a waiting connection is in exactly one place, any other in none";

  private final String rule;

  Mutation(String rule) {
    this.rule = rule;
  }

  /** The faults under which the defect shows. */
  Faults faults() {
    return switch (this) {
      case BLAME_EVERYONE, BLAME_NOBODY, IMPATIENT -> Faults.poison();
      case FENCED_NOT_SENT -> Faults.moving().with(Fault.HANG, 1500);
      default -> Faults.moving();
    };
  }

  /** How many steps the defect needs to show. */
  int steps() {
    return faults().isPoisonOnly() ? SimTest.POISON_STEPS : 1400;
  }

  /** The start of the failure message of the checker that has to catch it. */
  String rule() {
    return rule;
  }
}
