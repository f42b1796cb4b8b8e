package dev.waymark.tools.agent;

import java.util.function.Consumer;

/** One way to test a service. Confined to the agent's loop. */
interface Probe {
  /**
   * Tests the service, one test at a time. Calls back once on the loop, perhaps before this
   * returns, unless it is given up.
   */
  void start(Consumer<Verdict> onVerdict);

  /**
   * Gives the test under way up, because it takes too long: it does not call back any more.
   *
   * @return what is known of why; empty if nothing is
   */
  String giveUp();

  /** Ends everything that is under way; no test follows. */
  void close();
}
