package dev.waymark.api;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What can be asked of a running bridge: its state, and commands. Thread-safe. All methods return
 * at once, unless they say otherwise.
 */
public interface Operations {
  /** Whether every event loop is turning. */
  Readiness health();

  /** Whether the bridge serves new clients. */
  Readiness readiness();

  /**
   * Whether every configured pool, or just this one, has an upstream that takes connections.
   *
   * @param pool null: every one
   */
  Readiness upstreamReadiness(@Nullable String pool);

  /** Some of the open connections. Any thread may complete the stage. */
  CompletionStage<ConnectionPage> connections(ConnectionQuery query);

  /** All pools. */
  List<PoolStatus> pools();

  /** All upstreams of all pools. Any thread may complete the stage. */
  CompletionStage<List<UpstreamStatus>> upstreams();

  /**
   * Why the instances of a service get connections or not, in every pool whose name or target names
   * it. Any thread may complete the stage.
   *
   * @param address of the only instance to explain, in any spelling; null: all
   */
  CompletionStage<ServiceExplanation> explain(String service, @Nullable String address);

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

  /**
   * Closes a connection. Any thread may complete the stage.
   *
   * @param isReset whether the client gets an RST at once instead of a FIN after the last byte
   */
  CompletionStage<OperationOutcome> closeConnection(String mark, boolean isReset);

  /**
   * Moves the connections of an upstream to others and gives it no new ones, or ends that. Any
   * thread may complete the stage.
   */
  CompletionStage<OperationOutcome> drainUpstream(String pool, String upstream, boolean isDrained);

  /**
   * Stops accepting clients, or accepts them again; open connections go on. Blocks until done; must
   * not be called on an event loop.
   */
  OperationOutcome drain(boolean isDrained);
}
