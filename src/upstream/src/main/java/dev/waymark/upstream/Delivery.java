package dev.waymark.upstream;

/** How a handler receives the client's bytes. */
public enum Delivery {
  /** As they arrive, whatever the listener's framing. Nothing is held back. */
  BYTES,
  /**
   * One call per message of the listener's framing, including prefix or delimiter. With raw
   * framing, one call per data frame.
   */
  MESSAGES
}
