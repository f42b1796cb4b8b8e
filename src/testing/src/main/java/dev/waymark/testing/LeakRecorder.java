package dev.waymark.testing;

import io.netty.util.ResourceLeakDetector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Netty's leak detector, which also keeps what it found. Netty makes it itself, by its property
 * {@code io.netty.customResourceLeakDetector}; the constructors are those that Netty asks for.
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

  /** What was found since the last call. */
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
