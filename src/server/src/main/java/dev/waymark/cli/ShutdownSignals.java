package dev.waymark.cli;

import java.util.concurrent.CountDownLatch;
import sun.misc.Signal;

/**
 * Turns the first SIGTERM or SIGINT into a request to stop, and the second into one to hurry. Uses
 * signal handlers rather than shutdown hooks, because with a hook the exit code is the signal's and
 * not the program's. Thread-safe.
 */
final class ShutdownSignals {
  private final CountDownLatch first = new CountDownLatch(1);
  private final CountDownLatch second = new CountDownLatch(1);

  private ShutdownSignals() {}

  /** Starts handling the signals of the process. */
  static ShutdownSignals install() {
    ShutdownSignals signals = new ShutdownSignals();
    Signal.handle(new Signal("TERM"), _ -> signals.onSignal());
    Signal.handle(new Signal("INT"), _ -> signals.onSignal());
    return signals;
  }

  private synchronized void onSignal() {
    if (first.getCount() > 0) {
      first.countDown();
    } else {
      second.countDown();
    }
  }

  /** Returns at the first signal. */
  void await() throws InterruptedException {
    first.await();
  }

  /** Released by the first signal. */
  CountDownLatch stop() {
    return first;
  }

  /** Released by the second signal. */
  CountDownLatch hurry() {
    return second;
  }
}
