package dev.waymark.upstream;

/** How a handler gets the client's bytes. */
public enum Delivery {
  /** As they come, whatever the listener's framing. Nothing is held back. */
  BYTES,
  /**
   * One call per message of the listener's framing, prefix and delimiter included. With raw framing
   * a message is what one data frame carried.
   */
  MESSAGES
}
