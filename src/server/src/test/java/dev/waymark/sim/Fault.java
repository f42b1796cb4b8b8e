package dev.waymark.sim;

/** What can go wrong in a run. {@link Faults} holds the rate of each. */
enum Fault {
  /** A lane breaks. */
  LANE_BREAK(60),
  /** An upstream announces the end of a lane's connection (GOAWAY). */
  GO_AWAY(60),
  /** A lane is not writable for a while. */
  LANE_STALL(600),
  /** A lane stays open but delivers nothing, in either direction. */
  PARTITION(60),
  /** An upstream process dies, and its lanes with it. */
  CRASH(30),
  /** An upstream process hangs while its sockets stay open. */
  FREEZE(20),
  /** An upstream stops working on one connection. */
  HANG(300),
  /** An upstream sends Draining. */
  DRAIN(30),
  /** An upstream sends a frame for an attachment that is over. */
  LATE_FRAME(3000),
  /** A client sends requests that kill their upstreams. */
  POISON(1000),
  /** A client resets its socket. */
  CLIENT_RESET(150),
  /** A client closes its socket. */
  CLIENT_LEAVES(150),
  /** A client stops or resumes reading. */
  CLIENT_STALL(400),
  /** A client breaks the framing of its listener. */
  FRAMING_VIOLATION(150),
  /** An upstream violates the protocol. */
  HOSTILE_FRAME(500),
  /** Discovery or health reports a change of upstreams, which may be wrong. */
  HEALTH_CHANGE(100),
  /** The options of pool and listener are reloaded. */
  RELOAD(40),
  /** Not a fault, but triggered like one: an upstream pushes to some client. */
  PUSH(3000),
  /** The bridge itself stands still, for a second to a minute. */
  STANDSTILL(60);

  private final int rateMax;

  Fault(int rateMax) {
    this.rateMax = rateMax;
  }

  /** The upper bound of the rate that a seed chooses, in strikes per 10,000 opportunities. */
  int rateMax() {
    return rateMax;
  }
}
