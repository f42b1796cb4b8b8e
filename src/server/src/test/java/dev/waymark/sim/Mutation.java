package dev.waymark.sim;

/**
 * A defect put between the core and the world, or into the core, to show that the checkers see it.
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
  FORGET_TAKEN("rule 3"),
  LOSE_CONTEXT("rule 3"),
  /** Part of a commit takes effect. */
  APPLY_UNFINISHED("rule 1"),
  /** Every commit is taken for the end of a reply. */
  END_REPLIES_EARLY("rule 6"),
  PUSH_NOT_ANSWERED("rule 6"),
  PUSH_ANSWERED_FALSELY("rule 6"),
  FENCE_WHO_WORKS("rule 7"),
  CLOSE_TWICE("rule 8"),
  LIMIT_AFTER_CLOSE("rule 8"),
  FENCED_NOT_SENT("rule 8"),
  EPOCH_NOT_RAISED("rule 8"),
  /** A frame of an older epoch, on a lane that lives. */
  TAKE_LATE_FRAME("rule 1"),
  /** A frame that comes when its lane has ended. */
  TAKE_DEAD_LANES_FRAME("rule 1"),
  DATA_AFTER_RELEASE("rule 9"),
  FALSE_CAUSE("rule 9"),
  RELEASE_TWICE("rule 9"),
  /** Time in which the bridge stood still counts. */
  CHARGE_STANDSTILLS("own pauses"),
  /** The SDK sends bytes that a former owner has sent. */
  SDK_SENDS_AGAIN("rule 1"),
  /** The event loop is not told of a deadline. */
  DEADLINE_NOT_REQUESTED("deadlines"),
  /** The shard asks to be called, and then knows nothing of it. */
  DEADLINE_DENIED("deadlines"),
  /** Within the core: whoever loses an owner is to blame. */
  BLAME_COMPANY("rule 3 (innocents)"),
  /** Within the core: nobody is ever to blame. */
  BLAME_NOBODY("rule 3 (innocents)"),
  /** Upstreams are not given the time that they have to come back. */
  IMPATIENT("rule 3 (innocents)"),
  /** Within the core: connections that no input will ever serve. */
  FORGET_WAITING(Mutation.WAITING),
  /** Within the core: connections that have what they are to get. */
  PLACE_ATTACHED(Mutation.WAITING);

  private static final String WAITING = "who waits is in one place, who does not is in none";

  private final String rule;

  Mutation(String rule) {
    this.rule = rule;
  }

  /** The faults that bring it to light. */
  Faults faults() {
    return switch (this) {
      case BLAME_COMPANY, BLAME_NOBODY, IMPATIENT -> Faults.poison();
      case FENCED_NOT_SENT -> Faults.moving().with(Fault.HANG, 1500);
      default -> Faults.moving();
    };
  }

  /** How long it takes until it shows. */
  int steps() {
    return faults().isPoisonAlone() ? SimTest.POISON_STEPS : 1400;
  }

  /** The checker that is meant to see it. */
  String rule() {
    return rule;
  }
}
