package dev.waymark.e2e.chaos;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** The results of all clients together. Thread-safe. */
final class Tally {
  private static final int ERRORS_MAX = 100;
  private static final int SLOW_LOGGED_MAX = 100;

  private final AtomicLong replies = new AtomicLong();
  private final AtomicLong replyBytes = new AtomicLong();
  private final AtomicLong connections = new AtomicLong();
  private final AtomicLong errorCount = new AtomicLong();
  private final List<String> errors = Collections.synchronizedList(new ArrayList<>());

  /** From request to reply, for clients that read as fast as they can. */
  private final Latencies pauses = new Latencies();

  private final AtomicLong slow = new AtomicLong();
  private final long slowNs;
  private final Consumer<String> log;

  /**
   * @param slowNs replies that took longer are logged
   */
  Tally(long slowNs, Consumer<String> log) {
    this.slowNs = slowNs;
    this.log = log;
  }

  void connected() {
    connections.incrementAndGet();
  }

  void replied(int bytes) {
    replies.incrementAndGet();
    replyBytes.addAndGet(bytes);
  }

  void error(String what) {
    errorCount.incrementAndGet();
    if (errors.size() < ERRORS_MAX) {
      errors.add(what);
    }
  }

  /** Records the time from request to reply. */
  void paused(long ns, int clientPort, Message request) {
    pauses.add(ns);
    if (ns > slowNs && slow.incrementAndGet() <= SLOW_LOGGED_MAX) {
      log.accept(
          "slow: the reply to request %d of %d bytes, from port %d, took %d ms"
              .formatted(request.number(), request.bytes().length, clientPort, ns / 1_000_000));
    }
  }

  Latencies pauses() {
    return pauses;
  }

  long replies() {
    return replies.get();
  }

  long replyBytes() {
    return replyBytes.get();
  }

  long connections() {
    return connections.get();
  }

  long errorCount() {
    return errorCount.get();
  }

  List<String> errors() {
    return List.copyOf(errors);
  }
}
