package dev.waymark.net.lane;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What a flow has got back, and whether it is to go on. Thread-safe. */
final class EchoCount {
  private final AtomicLong echoes = new AtomicLong();
  private volatile @Nullable Throwable failure;
  private volatile boolean isEnding;

  void onEcho() {
    echoes.incrementAndGet();
  }

  void onFailure(Throwable why) {
    failure = why;
  }

  /** From now on nothing that is back goes out again. */
  void end() {
    isEnding = true;
  }

  boolean isEnding() {
    return isEnding;
  }

  /**
   * Messages that came back so far.
   *
   * @throws IllegalStateException if a connection is lost
   */
  long get() {
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
    return echoes.get();
  }
}
