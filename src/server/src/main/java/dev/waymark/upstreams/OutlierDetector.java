package dev.waymark.upstreams;

import dev.waymark.config.OutlierKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.engine.base.OutlierSignal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Passive outlier ejection: counts what shards hold against each upstream and says who is to get no
 * new connections, and for how long. No clock of its own. Confined to the control thread.
 *
 * <p>A crash is seen by every lane of every shard at once, and its retries fail in a row. So what
 * counts is moments: of each kind of signal, at most one within {@link #MOMENT_NS}. The window's
 * threshold is then one of misbehaviour that lasts or comes again.
 */
final class OutlierDetector {
  /** OutlierSignals of one kind that are closer together than this are one. */
  static final long MOMENT_NS = 1_000_000_000L;

  /** What is known of one upstream. */
  private static final class Suspect {
    /** At most as many as eject. */
    final ArrayDeque<Long> momentsNs = new ArrayDeque<>();

    final Map<OutlierSignal, Long> lastNs = new EnumMap<>(OutlierSignal.class);

    /** In a row; each ejection time without one takes one off. */
    long ejections;

    boolean isEjected;
    long endsAtNs;
  }

  private final Map<String, Suspect> records = new HashMap<>();
  private PoolConfig config;

  /**
   * @param config of the pool, of which the {@link OutlierKeys} count
   */
  OutlierDetector(PoolConfig config) {
    this.config = config;
  }

  // --- inputs ---

  /**
   * Something was held against an upstream that serves by its own account.
   *
   * @param upstreams how many the pool has
   * @param isAnyOtherServing whether another one would take its part
   * @return whether the upstream is ejected by this
   */
  boolean onOutlierSignal(
      long nowNs, String upstream, OutlierSignal why, int upstreams, boolean isAnyOtherServing) {
    if (!config.get(OutlierKeys.EJECTION)) {
      return false;
    }
    Suspect record = records.computeIfAbsent(upstream, _ -> new Suspect());
    if (record.isEjected || !isDue(nowNs, record, why)) {
      return false;
    }
    long ejectedCount = records.values().stream().filter(r -> r.isEjected).count();
    boolean isWithinMax =
        (ejectedCount + 1) * 100 <= (long) upstreams * config.get(OutlierKeys.PERCENT_MAX);
    if (!isWithinMax || !isAnyOtherServing) {
      return false;
    }
    eject(nowNs, record);
    return true;
  }

  /** Discovery does not name it any more. */
  void onGone(String upstream) {
    records.remove(upstream);
  }

  /** Time passed: those whose ejection is over, each told once. */
  List<String> onDeadline(long nowNs) {
    List<String> returned = new ArrayList<>();
    records.forEach((upstream, record) -> {
      if (record.isEjected && record.endsAtNs - nowNs <= 0) {
        record.isEjected = false;
        returned.add(upstream);
      }
    });
    return returned;
  }

  /** Ends every ejection now, since there is nobody else; each is told once. */
  List<String> onNobodyLeft(long nowNs) {
    records.values().stream().filter(r -> r.isEjected).forEach(r -> r.endsAtNs = nowNs);
    return onDeadline(nowNs);
  }

  /** Other options hold from now on; ejections that are on stay, unless it is off. */
  List<String> reconfigure(long nowNs, PoolConfig next) {
    config = next;
    return next.get(OutlierKeys.EJECTION) ? List.of() : onNobodyLeft(nowNs);
  }

  // --- outputs ---

  boolean isEjected(String upstream) {
    Suspect record = records.get(upstream);
    return record != null && record.isEjected;
  }

  /** How long an ejection that began just now lasts. */
  long leftNs(long nowNs, String upstream) {
    Suspect record = records.get(upstream);
    return record == null || !record.isEjected ? 0 : record.endsAtNs - nowNs;
  }

  /** When to call {@link #onDeadline}; ask again after every input. */
  OptionalLong nextDeadlineNs(long nowNs) {
    OptionalLong leftNs =
        records.values().stream().filter(r -> r.isEjected).mapToLong(r -> r.endsAtNs - nowNs).min();
    return leftNs.isEmpty() ? leftNs : OptionalLong.of(nowNs + leftNs.getAsLong());
  }

  // --- transitions ---

  private boolean isDue(long nowNs, Suspect record, OutlierSignal why) {
    if (why == OutlierSignal.STALLED || why == OutlierSignal.HEALTH_FLOOD) {
      return true;
    }
    Long last = record.lastNs.get(why);
    if (last != null && nowNs - last < MOMENT_NS) {
      return false;
    }
    record.lastNs.put(why, nowNs);
    record.momentsNs.add(nowNs);
    long windowNs = config.get(OutlierKeys.WINDOW).toNanos();
    record.momentsNs.removeIf(moment -> nowNs - moment > windowNs);
    int signals = config.get(OutlierKeys.SIGNALS);
    while (record.momentsNs.size() > signals) {
      record.momentsNs.remove();
    }
    return record.momentsNs.size() == signals;
  }

  private void eject(long nowNs, Suspect record) {
    long timeNs = config.get(OutlierKeys.TIME).toNanos();
    long timeMaxNs = config.get(OutlierKeys.TIME_MAX).toNanos();
    if (record.ejections > 0) {
      long decayed = (nowNs - record.endsAtNs) / timeNs;
      record.ejections = Math.max(0, record.ejections - decayed);
    }
    record.ejections++;
    record.isEjected = true;
    long longest = Math.max(1, timeMaxNs / timeNs);
    record.endsAtNs = nowNs + (record.ejections > longest ? timeMaxNs : record.ejections * timeNs);
    record.momentsNs.clear();
    record.lastNs.clear();
  }
}
