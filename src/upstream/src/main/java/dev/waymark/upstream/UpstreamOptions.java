package dev.waymark.upstream;

import dev.waymark.protocol.Check;

/**
 * What an upstream is set to. Immutable.
 *
 * @param acknowledge whether the upstream sends Settings and `consumed` (protocol.md, rules 3 to 5)
 * @param delivery in what pieces handlers get bytes
 * @param windowBytes unconsumed client bytes that one connection may have under way; 0: the
 *     bridge's own window
 * @param queueBytesMax reply bytes of one connection that wait for the bridge's grant, each reply
 *     with 64 bytes of overhead
 * @param connectionsMax attachments at once; one more is refused with BUSY
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

  /** What a bridge sends before it knows of our window. */
  private static final int INITIAL_WINDOW_BYTES = 16 * 1024;

  UpstreamOptions {
    Check.that(windowBytes >= 0, "a window is positive, or 0 for the bridge's own");
    Check.that(queueBytesMax >= QUEUE_BYTES_MIN, "the queue takes at least 64 KiB");
    Check.that(connectionsMax > 0, "an upstream takes at least one connection");
  }

  /**
   * What a connection may have under way before it is a breach: before it knows of our window, a
   * bridge uses its initial one.
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
