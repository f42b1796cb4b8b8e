package dev.waymark.cli;

import dev.waymark.core.PoolSnapshot;
import dev.waymark.core.UpstreamView;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/**
 * Whether a pool has ever had an upstream that serves: its health says so, and it has taken a lane.
 * Thread-safe.
 */
final class FirstServing {
  private final CountDownLatch latch = new CountDownLatch(1);
  private final Set<String> taken = ConcurrentHashMap.newKeySet();
  private volatile PoolSnapshot snapshot = new PoolSnapshot("", 0, List.of());

  /** Released once, for ever. */
  CountDownLatch latch() {
    return latch;
  }

  /**
   * @param dialled the upstreams that can be dialled
   */
  void onSnapshot(PoolSnapshot dialled) {
    if (latch.getCount() > 0) {
      snapshot = dialled;
      check();
    }
  }

  void onTaken(String upstream) {
    if (latch.getCount() > 0) {
      taken.add(upstream);
      check();
    }
  }

  private void check() {
    if (snapshot.upstreams().stream()
        .filter(UpstreamView::isServing)
        .anyMatch(upstream -> taken.contains(upstream.address()))) {
      latch.countDown();
      taken.clear();
    }
  }
}
