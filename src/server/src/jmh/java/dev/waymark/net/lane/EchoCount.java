package dev.waymark.net.lane;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Counts the echoes of a flow and says whether it should continue. Thread-safe. */
final class EchoCount {
  private final AtomicLong echoes = new AtomicLong();
  private volatile @Nullable Throwable failure;
  private volatile boolean isEnding;

  void onEcho() {
    echoes.incrementAndGet();
  }

  void onFailure(Throwable cause) {
    failure = cause;
  }

  /** Stops the flow: echoes are no longer sent again. */
  void end() {
    isEnding = true;
  }

  boolean isEnding() {
    return isEnding;
  }

  /**
   * The number of echoes so far.
   *
   * @throws IllegalStateException if a connection was lost
   */
  long get() {
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
    return echoes.get();
  }
}
