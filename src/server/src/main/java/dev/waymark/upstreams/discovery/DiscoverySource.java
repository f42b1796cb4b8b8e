package dev.waymark.upstreams.discovery;

import java.util.Optional;

/**
 * Keeps finding the upstreams of one target until it is closed, and tells {@link Discovery} through
 * the callbacks given to its constructor: all upstreams after each success, the reason after each
 * failure. Upstreams found before stay until the next success. Confined to the control thread.
 *
 * <p>A new kind of target is a record of {@link dev.waymark.config.PoolConfig.Target}, read by
 * {@code config.Targets}, and a source that {@link Discovery} makes of it. The compiler names the
 * other places that differ by kind, such as {@code config.SubsetReader}.
 */
interface DiscoverySource {
  /** Begins; called once. May find upstreams before it returns. */
  void start();

  /**
   * Looks again soon, as an upstream seems to be gone. For sources that are not told of changes.
   */
  default void refreshSoon() {}

  /**
   * What it knows, for people. Asked only when somebody looks, so it may go through everything. A
   * source that is connected to a server, or knows of instances that it does not pass on, says so
   * here: with the reason for each, and since when ({@link dev.waymark.upstreams.control.Since}).
   * Empty: no more than it has said through the callbacks.
   */
  default Optional<SourceReport> report() {
    return Optional.empty();
  }

  /** Ends: no callback follows. */
  default void close() {}
}
