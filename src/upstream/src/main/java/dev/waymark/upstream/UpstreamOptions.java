package dev.waymark.upstream;

import dev.waymark.protocol.Check;

/**
 * The settings of an upstream. Immutable.
 *
 * @param acknowledge whether the upstream sends Settings and {@code consumed} (protocol.md, rules 3
 *     to 5)
 * @param delivery how handlers get bytes
 * @param windowBytes how many unconsumed client bytes one connection may have in flight; 0: the
 *     bridge's own window
 * @param queueBytesMax how many reply bytes of one connection may wait, each reply with 64 bytes of
 *     overhead
 * @param connectionsMax how many connections may be attached at once; one more is refused with BUSY
 */
record UpstreamOptions(
    boolean acknowledge,
    Delivery delivery,
    int windowBytes,
    int queueBytesMax,
    int connectionsMax) {
  static final UpstreamOptions DEFAULTS =
      new UpstreamOptions(true, Delivery.BYTES, 0, 1024 * 1024, 1_000_000);

  static final int QUEUE_BYTES_MIN = 64 * 1024;

  /** What a bridge sends before it knows our window. */
  private static final int INITIAL_WINDOW_BYTES = 16 * 1024;

  UpstreamOptions {
    Check.that(windowBytes >= 0, "a window is positive, or 0 for the bridge's own");
    Check.that(queueBytesMax >= QUEUE_BYTES_MIN, "the queue holds at least 64 KiB");
    Check.that(connectionsMax > 0, "an upstream takes at least one connection");
  }

  /**
   * How many unconsumed bytes a connection may have in flight; more is a violation. Until a bridge
   * knows our window, it uses its initial one.
   */
  long receivableBytesMax() {
    return windowBytes == 0 ? Long.MAX_VALUE : Math.max(windowBytes, INITIAL_WINDOW_BYTES);
  }

  UpstreamOptions withAcknowledge(boolean value) {
    return new UpstreamOptions(value, delivery, windowBytes, queueBytesMax, connectionsMax);
  }

  UpstreamOptions withDelivery(Delivery value) {
    return new UpstreamOptions(acknowledge, value, windowBytes, queueBytesMax, connectionsMax);
  }

  UpstreamOptions withWindowBytes(int value) {
    return new UpstreamOptions(acknowledge, delivery, value, queueBytesMax, connectionsMax);
  }

  UpstreamOptions withQueueBytesMax(int value) {
    return new UpstreamOptions(acknowledge, delivery, windowBytes, value, connectionsMax);
  }

  UpstreamOptions withConnectionsMax(int value) {
    return new UpstreamOptions(acknowledge, delivery, windowBytes, queueBytesMax, value);
  }
}
