package dev.waymark.tools.bench;

import org.jspecify.annotations.Nullable;

/** The workload that a connection belongs to. Called on the connection's event loop. */
interface Owner {
  /** Called when the connection is open and may be given requests. */
  void onOpen(BenchConnection connection);

  /** Returns when a request that is about to be sent counts as sent. */
  long startNs(BenchConnection connection, long request, long nowNs);

  /** Called when a complete and correct reply has come. */
  void onAnswer(BenchConnection connection, long startNs, long nowNs, int size);

  /**
   * Called when the connection is gone or could not be opened.
   *
   * @param failure why; null if we closed it, perhaps because of wrong bytes, which are counted
   *     already
   */
  void onEnd(BenchConnection connection, @Nullable String failure);
}
