package dev.waymark.upstreams;

import dev.waymark.config.OutlierKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.upstreams.PoolReport.Ejection;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Passive outlier ejection: counts outlier signals per upstream and decides which upstreams get no
 * new connections, and for how long. Has no clock. Confined to the control thread.
 *
 * <p>Every lane of every shard sees a crash at once, and retries then fail in a row. So the
 * detector counts moments: at most one signal of each kind within {@link #MOMENT_NS}. Only
 * misbehaviour that lasts or recurs can then reach the threshold of the window.
 */
final class OutlierDetector {
  /** Signals of one kind that are closer together than this count as one. */
  static final long MOMENT_NS = 1_000_000_000L;

  /** The signals and ejections of one upstream. */
  private static final class History {
    /** Never more than the threshold. */
    final ArrayDeque<Long> momentsNs = new ArrayDeque<>();

    final Map<OutlierSignal, Long> lastNs = new EnumMap<>(OutlierSignal.class);

    /** Consecutive ejections; decays by one per {@link OutlierKeys#TIME} without an ejection. */
    long ejections;

    boolean isEjected;
    OutlierSignal why = OutlierSignal.LANE_BROKEN;
    long endsAtNs;
  }

  private final Map<String, History> histories = new HashMap<>();
  private PoolConfig config;

  /**
   * @param config of the pool; only its {@link OutlierKeys} are read
   */
  OutlierDetector(PoolConfig config) {
    this.config = config;
  }

  // --- inputs ---

  /**
   * Called for a signal about an upstream that reports SERVING, or whose health service floods.
   *
   * @param upstreams the number of upstreams in the pool
   * @param isAnotherServing whether another upstream of the pool serves
   * @return whether this signal ejects the upstream
   */
  boolean onOutlierSignal(
      long nowNs, String upstream, OutlierSignal why, int upstreams, boolean isAnotherServing) {
    if (!config.get(OutlierKeys.EJECTION)) {
      return false;
    }
    History history = histories.computeIfAbsent(upstream, _ -> new History());
    if (history.isEjected || !reachesThreshold(nowNs, history, why)) {
      return false;
    }
    long ejectedCount = histories.values().stream().filter(h -> h.isEjected).count();
    boolean isWithinMax =
        (ejectedCount + 1) * 100 <= (long) upstreams * config.get(OutlierKeys.PERCENT_MAX);
    if (!isWithinMax || !isAnotherServing) {
      return false;
    }
    eject(nowNs, history);
    history.why = why;
    return true;
  }

  /** Forgets an upstream that discovery no longer returns. */
  void onGone(String upstream) {
    histories.remove(upstream);
  }

  /** Ends the ejections whose time is over, and returns their upstreams. */
  List<String> onDeadline(long nowNs) {
    List<String> ended = new ArrayList<>();
    histories.forEach((upstream, history) -> {
      if (history.isEjected && history.endsAtNs - nowNs <= 0) {
        history.isEjected = false;
        ended.add(upstream);
      }
    });
    return ended;
  }

  /** Ends all ejections, and returns their upstreams. */
  List<String> endAll(long nowNs) {
    histories.values().stream().filter(h -> h.isEjected).forEach(h -> h.endsAtNs = nowNs);
    return onDeadline(nowNs);
  }

  /**
   * Applies new options. Current ejections stay, unless ejection is turned off: then all of them
   * end, and their upstreams are returned.
   */
  List<String> reconfigure(long nowNs, PoolConfig next) {
    config = next;
    return next.get(OutlierKeys.EJECTION) ? List.of() : endAll(nowNs);
  }

  // --- outputs ---

  boolean isEjected(String upstream) {
    History history = histories.get(upstream);
    return history != null && history.isEjected;
  }

  /** Returns the remaining time of the ejection; 0 if there is none. */
  long leftNs(long nowNs, String upstream) {
    History history = histories.get(upstream);
    return history == null || !history.isEjected ? 0 : history.endsAtNs - nowNs;
  }

  /** Why it is ejected, and until when; empty if it is not. */
  Optional<Ejection> ejection(String upstream) {
    History history = histories.get(upstream);
    return history == null || !history.isEjected
        ? Optional.empty()
        : Optional.of(new Ejection(history.why, history.endsAtNs));
  }

  /** Returns when to call {@link #onDeadline}; may change with every input. */
  OptionalLong nextDeadlineNs(long nowNs) {
    OptionalLong leftNs =
        histories.values().stream()
            .filter(h -> h.isEjected)
            .mapToLong(h -> h.endsAtNs - nowNs)
            .min();
    return leftNs.isEmpty() ? leftNs : OptionalLong.of(nowNs + leftNs.getAsLong());
  }

  // --- transitions ---

  private boolean reachesThreshold(long nowNs, History history, OutlierSignal why) {
    if (why == OutlierSignal.STALLED || why == OutlierSignal.HEALTH_FLOOD) {
      return true;
    }
    Long last = history.lastNs.get(why);
    if (last != null && nowNs - last < MOMENT_NS) {
      return false;
    }
    history.lastNs.put(why, nowNs);
    history.momentsNs.add(nowNs);
    long windowNs = config.get(OutlierKeys.WINDOW).toNanos();
    history.momentsNs.removeIf(moment -> nowNs - moment > windowNs);
    int signals = config.get(OutlierKeys.SIGNALS);
    while (history.momentsNs.size() > signals) {
      history.momentsNs.remove();
    }
    return history.momentsNs.size() == signals;
  }

  private void eject(long nowNs, History history) {
    long timeNs = config.get(OutlierKeys.TIME).toNanos();
    long timeMaxNs = config.get(OutlierKeys.TIME_MAX).toNanos();
    if (history.ejections > 0) {
      long periods = (nowNs - history.endsAtNs) / timeNs;
      history.ejections = Math.max(0, history.ejections - periods);
    }
    history.ejections++;
    history.isEjected = true;
    long longest = Math.max(1, timeMaxNs / timeNs);
    history.endsAtNs =
        nowNs + (history.ejections > longest ? timeMaxNs : history.ejections * timeNs);
    history.momentsNs.clear();
    history.lastNs.clear();
  }
}
