package dev.waymark.bridge;

import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/**
 * Whether a pool has ever had an upstream that serves by its health, and whether all that are known
 * have shown whether they serve and take lanes. Thread-safe.
 */
final class FirstServing {
  private final CountDownLatch serving = new CountDownLatch(1);
  private final CountDownLatch proven = new CountDownLatch(1);
  private final Set<String> answered = ConcurrentHashMap.newKeySet();
  private volatile PoolSnapshot snapshot = new PoolSnapshot("", 0, List.of());

  /** Released for ever when health says that an upstream serves. */
  CountDownLatch serving() {
    return serving;
  }

  /**
   * Released for ever when the health of each upstream is known, and each of those that serve by it
   * has taken or refused a lane: the first clients are dealt out over all of them.
   */
  CountDownLatch proven() {
    return proven;
  }

  /**
   * @param dialled the upstreams that can be dialled
   */
  void onSnapshot(PoolSnapshot dialled) {
    if (proven.getCount() > 0) {
      snapshot = dialled;
      check();
    }
  }

  /** An upstream has taken or refused a lane. */
  void onLane(String upstream) {
    if (proven.getCount() > 0) {
      answered.add(upstream);
      check();
    }
  }

  private void check() {
    List<String> known =
        snapshot.upstreams().stream()
            .filter(UpstreamView::isServing)
            .map(UpstreamView::address)
            .toList();
    if (!known.isEmpty()) {
      serving.countDown();
    }
    boolean isEachKnown =
        snapshot.upstreams().stream().noneMatch(each -> each.health().equals("UNKNOWN"));
    if (!known.isEmpty() && isEachKnown && answered.containsAll(known)) {
      proven.countDown();
      answered.clear();
    }
  }
}
