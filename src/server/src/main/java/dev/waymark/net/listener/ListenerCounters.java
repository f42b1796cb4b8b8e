package dev.waymark.net.listener;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** The counters of a listener. Thread-safe. */
public final class ListenerCounters {
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger handshakes = new AtomicInteger();
  private final LongAdder completeHandshakes = new LongAdder();
  private final Map<RefusalReason, LongAdder> refused = new EnumMap<>(RefusalReason.class);
  private final LongAdder tlsPassedOn = new LongAdder();
  private final LongAdder proxyChecks = new LongAdder();
  private final LongAdder acceptPauses = new LongAdder();

  public ListenerCounters() {
    for (RefusalReason reason : RefusalReason.values()) {
      refused.put(reason, new LongAdder());
    }
  }

  /** Counts a client as open and returns true; returns false at connectionsMax. */
  boolean enter(int connectionsMax) {
    if (open.incrementAndGet() > connectionsMax) {
      open.decrementAndGet();
      return false;
    }
    return true;
  }

  void leave() {
    open.decrementAndGet();
  }

  /** Counts a handshake as under way and returns true; returns false at handshakesMax. */
  boolean enterHandshake(int handshakesMax) {
    if (handshakes.incrementAndGet() > handshakesMax) {
      handshakes.decrementAndGet();
      return false;
    }
    return true;
  }

  void leaveHandshake() {
    handshakes.decrementAndGet();
  }

  /** Counts a client that speaks TLS although the listener does not. */
  void countTlsPassedOn() {
    tlsPassedOn.increment();
  }

  /** Returns the number of clients that spoke TLS although the listener does not. */
  public long tlsPassedOn() {
    return tlsPassedOn.sum();
  }

  /** Counts a handshake that is complete. */
  void countHandshake() {
    completeHandshakes.increment();
  }

  void refuse(RefusalReason reason) {
    adder(reason).increment();
  }

  private LongAdder adder(RefusalReason reason) {
    return Objects.requireNonNull(refused.get(reason));
  }

  void proxyCheck() {
    proxyChecks.increment();
  }

  void pause() {
    acceptPauses.increment();
  }

  /** Returns the number of open connections. */
  public int open() {
    return open.get();
  }

  /** Returns the number of TLS handshakes under way. */
  public int handshakes() {
    return handshakes.get();
  }

  /** Returns the number of TLS handshakes that were completed. */
  public long completeHandshakes() {
    return completeHandshakes.sum();
  }

  /** Returns the number of clients closed for this reason before they became connections. */
  public long refused(RefusalReason reason) {
    return adder(reason).sum();
  }

  /** Returns the number of health checks: sockets that ended before a client spoke. */
  public long proxyChecks() {
    return proxyChecks.sum();
  }

  /** Returns how often accepting paused for lack of descriptors or memory. */
  public long acceptPauses() {
    return acceptPauses.sum();
  }
}
