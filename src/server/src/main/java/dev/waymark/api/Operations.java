package dev.waymark.api;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * What the admin port tells, asked on its threads: every method is thread-safe and returns at once.
 */
public interface Operations {
  /** Whether every event loop turns. */
  Readiness health();

  /** Whether new clients are served. */
  Readiness readiness();

  /** Up to {@code limit} of the connections open now. The stage may be completed by any thread. */
  CompletionStage<ConnectionPage> connections(int limit);

  /** All pools. */
  List<PoolStatus> pools();

  /** All upstreams of all pools. The stage may be completed by any thread. */
  CompletionStage<List<UpstreamStatus>> upstreams();

  /**
   * What is in force: text, numbers, booleans, and lists and maps of them. Secrets are masked here,
   * by the admin port.
   */
  Map<String, Object> config();
}
