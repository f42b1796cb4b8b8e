package dev.waymark.bridge;

import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.upstreams.UpstreamHealth;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/**
 * The first answers of a pool's upstreams: whether the health of any has ever been SERVING, and
 * whether it is known of all of them if they serve and take lanes. Thread-safe.
 */
final class FirstServing {
  private final CountDownLatch serving = new CountDownLatch(1);
  private final CountDownLatch proven = new CountDownLatch(1);
  private final Set<String> answered = ConcurrentHashMap.newKeySet();
  private volatile PoolSnapshot snapshot = new PoolSnapshot("", 0, List.of());

  /** Released, for good, when the first upstream is SERVING. */
  CountDownLatch serving() {
    return serving;
  }

  /**
   * Released, for good, when the health of every upstream is known and every SERVING one has
   * accepted or refused a lane, so that the first clients are spread over all of them.
   */
  CountDownLatch proven() {
    return proven;
  }

  /**
   * Takes a new snapshot.
   *
   * @param dialled contains only upstreams that can be dialled
   */
  void onSnapshot(PoolSnapshot dialled) {
    if (proven.getCount() > 0) {
      snapshot = dialled;
      check();
    }
  }

  /** Called when an upstream has accepted or refused a lane. */
  void onLane(String upstream) {
    if (proven.getCount() > 0) {
      answered.add(upstream);
      check();
    }
  }

  private void check() {
    List<String> servingAddresses =
        snapshot.upstreams().stream()
            .filter(UpstreamView::isServing)
            .map(UpstreamView::address)
            .toList();
    if (!servingAddresses.isEmpty()) {
      serving.countDown();
    }
    boolean isAllHealthKnown =
        snapshot.upstreams().stream()
            .noneMatch(each -> each.health().equals(UpstreamHealth.UNKNOWN.name()));
    if (!servingAddresses.isEmpty() && isAllHealthKnown && answered.containsAll(servingAddresses)) {
      proven.countDown();
      answered.clear();
    }
  }
}
