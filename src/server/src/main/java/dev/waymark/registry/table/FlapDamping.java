package dev.waymark.registry.table;

import dev.waymark.registry.InstanceKey;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Finds instances that come and go too often, as routers find routes that flap (RFC 2439): each
 * time that one goes, its penalty grows by one, and it halves with every half-life. An instance is
 * damped when its penalty reaches {@link #SUPPRESS}, until it has fallen to {@link #REUSE}. A
 * deployment that restarts each instance once or twice damps nobody. Confined to one thread.
 */
final class FlapDamping {
  /** Four departures within seconds. */
  static final double SUPPRESS = 3.5;

  /** After one to two half-lives without another one. */
  static final double REUSE = 1.5;

  /** So that an instance that flapped for hours is back after about three half-lives. */
  static final double PENALTY_MAX = 12;

  /** Those with the oldest departure are forgotten first. */
  static final int TRACKED_MAX = 100_000;

  private static final class History {
    double penalty;
    long atNs;
    boolean isDamped;
  }

  private final double halfLifeNs;

  /** In the order of their last departure. */
  private final Map<InstanceKey, History> histories = new LinkedHashMap<>();

  FlapDamping(long halfLifeNs) {
    this.halfLifeNs = halfLifeNs;
  }

  /** An instance is gone. */
  void onGone(InstanceKey key, long nowNs) {
    History history = histories.remove(key);
    if (history == null) {
      history = new History();
      history.atNs = nowNs;
    }
    history.penalty = Math.min(PENALTY_MAX, penalty(history, nowNs) + 1);
    history.atNs = nowNs;
    history.isDamped |= history.penalty >= SUPPRESS;
    histories.put(key, history);
    if (histories.size() > TRACKED_MAX) {
      Iterator<InstanceKey> oldest = histories.keySet().iterator();
      oldest.next();
      oldest.remove();
    }
  }

  /** Whether this instance is damped. */
  boolean isDamped(InstanceKey key, long nowNs) {
    History history = histories.get(key);
    if (history == null) {
      return false;
    }
    double now = penalty(history, nowNs);
    if (now <= REUSE) {
      history.isDamped = false;
    }
    return history.isDamped;
  }

  /** How long this instance stays damped if it stays, in nanoseconds; 0 if it is not damped. */
  long remainingNs(InstanceKey key, long nowNs) {
    History history = histories.get(key);
    if (history == null || !isDamped(key, nowNs)) {
      return 0;
    }
    double halvings = Math.log(penalty(history, nowNs) / REUSE) / Math.log(2);
    return (long) Math.ceil(halvings * halfLifeNs);
  }

  private double penalty(History history, long nowNs) {
    return history.penalty * Math.pow(0.5, (nowNs - history.atNs) / halfLifeNs);
  }
}
