package dev.waymark.tools.bench;

import org.jspecify.annotations.Nullable;

/** What a connection tells the work it is part of. All on the connection's event loop. */
interface Owner {
  /** It is open, and may be told to ask. */
  void onOpen(BenchConnection connection);

  /** When a request that is about to be sent counts as sent. */
  long startNs(BenchConnection connection, long request, long nowNs);

  /** A whole reply has come, each byte right. */
  void onAnswer(BenchConnection connection, long startNs, long nowNs, int size);

  /**
   * It is gone, or was never open.
   *
   * @param failure why; null if we closed it, or if its bytes were wrong, which is counted already
   */
  void onEnd(BenchConnection connection, @Nullable String failure);
}
