package dev.waymark.testing;

import io.netty.util.ResourceLeakDetector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A leak detector that records its findings. Netty instantiates it because of the property {@code
 * io.netty.customResourceLeakDetector}; the constructors are those that Netty requires.
 * Thread-safe.
 *
 * @param <T> the type of the resource
 */
public final class LeakRecorder<T> extends ResourceLeakDetector<T> {
  private static final ConcurrentLinkedQueue<String> FOUND = new ConcurrentLinkedQueue<>();

  public LeakRecorder(Class<T> type, int samplingInterval) {
    super(type, samplingInterval);
  }

  public LeakRecorder(Class<T> type, int samplingInterval, long maxActive) {
    super(type, samplingInterval);
  }

  /** Returns and forgets the leaks found so far. */
  static List<String> drain() {
    List<String> drained = new ArrayList<>();
    for (String leak = FOUND.poll(); leak != null; leak = FOUND.poll()) {
      drained.add(leak);
    }
    return drained;
  }

  @Override
  protected boolean needReport() {
    return true;
  }

  @Override
  protected void reportTracedLeak(String resourceType, String records) {
    FOUND.add(resourceType + " was dropped without release()" + records);
  }

  @Override
  protected void reportUntracedLeak(String resourceType) {
    FOUND.add(resourceType + " was dropped without release()");
  }
}
