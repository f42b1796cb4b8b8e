package dev.waymark.api;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * What can be asked of a running bridge: its state, and commands. Thread-safe. All methods return
 * at once, unless they say otherwise.
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
   * The configuration in force: strings, numbers, booleans, and lists and maps of them. The values
   * of secret keys are masked.
   */
  Map<String, Object> config();

  /**
   * Reads the configuration file again and applies its changes. Blocks until done, for a few
   * start-timeouts at most; must not be called on an event loop.
   */
  ReloadOutcome reload();
}
