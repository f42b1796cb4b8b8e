package dev.waymark.api;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * The state of a running bridge, as the admin port shows it. The admin port calls these methods on
 * its own threads: all are thread-safe and return at once.
 */
public interface Operations {
  /** Whether every event loop is turning. */
  Readiness health();

  /** Whether the bridge serves new clients. */
  Readiness readiness();

  /** Up to {@code limit} of the open connections. Any thread may complete the stage. */
  CompletionStage<ConnectionPage> connections(int limit);

  /** All pools. */
  List<PoolStatus> pools();

  /** All upstreams of all pools. Any thread may complete the stage. */
  CompletionStage<List<UpstreamStatus>> upstreams();

  /**
   * The configuration in force: strings, numbers, booleans, and lists and maps of them. Contains
   * secrets; the admin port masks them.
   */
  Map<String, Object> config();
}
