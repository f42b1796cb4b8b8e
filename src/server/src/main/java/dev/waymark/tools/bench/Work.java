package dev.waymark.tools.bench;

import java.util.concurrent.CompletableFuture;

/**
 * The connections of one event loop and what they do. Methods may be called by any thread; the
 * futures complete on the loop.
 */
interface Work {
  /** Opens what is to be open before it starts. The future: each has been opened or refused. */
  CompletableFuture<Void> connect();

  /** Starts to ask at this time; null: as fast as replies come. */
  void start(long startNs);

  /** Asks no more. The future: what was sent is answered, or its connection gone. */
  CompletableFuture<Void> stop();

  /** Counts what is unanswered, and closes everything. */
  CompletableFuture<Void> close();
}
