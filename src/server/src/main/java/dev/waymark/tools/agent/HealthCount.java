package dev.waymark.tools.agent;

import java.util.Locale;

/**
 * Decides from the results of checks whether a service is healthy. The first result decides at
 * once, so that an agent that was restarted does not keep a healthy service waiting; from then on,
 * it takes several in a row. A state machine, confined to one thread.
 */
final class HealthCount {
  /** What is known of a service. */
  enum State {
    /** No check has ended yet. */
    UNCHECKED,
    HEALTHY,
    UNHEALTHY;

    /** Returns the lower-case form for people. */
    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final int rise;
  private final int fall;
  private State state = State.UNCHECKED;

  /** Results in a row that speak against the state. */
  private int against;

  /**
   * @param rise how many checks in a row must pass before an unhealthy service is healthy
   * @param fall how many checks in a row must fail before a healthy service is not
   */
  HealthCount(int rise, int fall) {
    this.rise = rise;
    this.fall = fall;
  }

  /** A check has passed; returns whether the state has changed. */
  boolean onPassed() {
    return onResult(State.HEALTHY, rise);
  }

  /** A check has failed; returns whether the state has changed. */
  boolean onFailed() {
    return onResult(State.UNHEALTHY, fall);
  }

  /** The service itself says that it does not serve; returns whether the state has changed. */
  boolean onNotServing() {
    return onResult(State.UNHEALTHY, 1);
  }

  private boolean onResult(State result, int needed) {
    if (state == result) {
      against = 0;
      return false;
    }
    against++;
    if (state != State.UNCHECKED && against < needed) {
      return false;
    }
    state = result;
    against = 0;
    return true;
  }

  State state() {
    return state;
  }
}
