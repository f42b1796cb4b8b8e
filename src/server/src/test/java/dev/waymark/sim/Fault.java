package dev.waymark.sim;

/** What can go wrong in a run, each at a rate of its own: see {@link Faults}. */
enum Fault {
  /** A lane breaks, however. */
  LANE_BREAK(60),
  /** The transport under a lane takes no more for a while. */
  LANE_STALL(600),
  /** A lane stays open and passes nothing on any more. */
  PARTITION(60),
  /** An upstream process ends and takes its lanes along. */
  CRASH(30),
  /** An upstream process stops, and its sockets stay. */
  FREEZE(20),
  /** An upstream works on a connection no more. */
  HANG(300),
  /** An upstream says Draining. */
  DRAIN(30),
  /** An upstream sends for an attachment that is over. */
  LATE_FRAME(3000),
  /** A client sends what kills its upstreams. */
  POISON(1000),
  /** A client resets its socket. */
  CLIENT_RESET(150),
  /** A client closes its socket. */
  CLIENT_LEAVES(150),
  /** A client stops reading, or reads again. */
  CLIENT_STALL(400),
  /** A client sends what is no message. */
  FRAMING_VIOLATION(150),
  /** An upstream sends what it must not. */
  HOSTILE_FRAME(500),
  /** Discovery or health say something else of upstreams, true or not. */
  HEALTH_CHANGE(100),
  /** The configuration of pool and listener changes. */
  RELOAD(40),
  /** No fault, but as often: an upstream pushes to some client. */
  PUSH(3000),
  /** The bridge itself stands still, for seconds to a minute. */
  STANDSTILL(60);

  private final int rateMax;

  Fault(int rateMax) {
    this.rateMax = rateMax;
  }

  /** The highest rate that a seed chooses, in 10,000 steps. */
  int rateMax() {
    return rateMax;
  }
}
