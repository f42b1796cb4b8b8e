package dev.waymark.tools.bench;

import java.util.concurrent.CompletableFuture;

/**
 * The connections of one event loop and what they do. Methods may be called from any thread; the
 * futures complete on the loop.
 */
interface Workload {
  /**
   * Opens the connections that must be open at the start. Completes when each is open or refused.
   */
  CompletableFuture<Void> connect();

  /** Starts sending requests at this time. */
  void start(long startNs);

  /**
   * Stops sending requests. Completes when all requests sent are answered or their connections
   * gone.
   */
  CompletableFuture<Void> stop();

  /** Counts unanswered requests and closes everything. */
  CompletableFuture<Void> close();
}
