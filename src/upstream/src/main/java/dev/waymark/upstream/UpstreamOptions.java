package dev.waymark.upstream;

import dev.waymark.protocol.Check;

/**
 * The settings of an upstream. Immutable.
 *
 * @param acknowledge whether the upstream sends Settings and {@code consumed} (protocol.md, rules 3
 *     to 5)
 * @param delivery how handlers get bytes
 * @param windowBytes how many unconsumed client bytes one connection may have in flight; 0 leaves
 *     it to the bridge
 * @param queueBytesMax how many reply bytes of one connection may wait, including 64 bytes of
 *     overhead per reply
 * @param connectionsMax how many connections may be attached at once; any more are refused with
 *     BUSY
 * @param isPinned whether connections can neither be moved nor replayed (protocol.md, rule 5)
 */
record UpstreamOptions(
    boolean acknowledge,
    Delivery delivery,
    int windowBytes,
    int queueBytesMax,
    int connectionsMax,
    boolean isPinned) {
  static final UpstreamOptions DEFAULTS =
      new UpstreamOptions(true, Delivery.BYTES, 0, 1024 * 1024, 1_000_000, false);

  static final int QUEUE_BYTES_MIN = 64 * 1024;

  /** The window that a bridge uses before it knows ours. */
  private static final int INITIAL_WINDOW_BYTES = 16 * 1024;

  UpstreamOptions {
    Check.that(windowBytes >= 0, "a window must be positive, or 0 for the bridge's own");
    Check.that(queueBytesMax >= QUEUE_BYTES_MIN, "the queue must hold at least 64 KiB");
    Check.that(connectionsMax > 0, "an upstream must accept at least one connection");
    Check.that(
        acknowledge || !isPinned, "an upstream without Settings cannot say that it is pinned");
  }

  /**
   * How many unconsumed bytes a connection may have in flight; more is a violation. At least the
   * initial window, which a bridge uses until it knows ours.
   */
  long receivableBytesMax() {
    return windowBytes == 0 ? Long.MAX_VALUE : Math.max(windowBytes, INITIAL_WINDOW_BYTES);
  }

  UpstreamOptions withAcknowledge(boolean value) {
    return new UpstreamOptions(
        value, delivery, windowBytes, queueBytesMax, connectionsMax, isPinned);
  }

  UpstreamOptions withDelivery(Delivery value) {
    return new UpstreamOptions(
        acknowledge, value, windowBytes, queueBytesMax, connectionsMax, isPinned);
  }

  UpstreamOptions withWindowBytes(int value) {
    return new UpstreamOptions(
        acknowledge, delivery, value, queueBytesMax, connectionsMax, isPinned);
  }

  UpstreamOptions withQueueBytesMax(int value) {
    return new UpstreamOptions(acknowledge, delivery, windowBytes, value, connectionsMax, isPinned);
  }

  UpstreamOptions withConnectionsMax(int value) {
    return new UpstreamOptions(acknowledge, delivery, windowBytes, queueBytesMax, value, isPinned);
  }

  UpstreamOptions withPinned(boolean value) {
    return new UpstreamOptions(
        acknowledge, delivery, windowBytes, queueBytesMax, connectionsMax, value);
  }
}
