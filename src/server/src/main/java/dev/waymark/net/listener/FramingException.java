package dev.waymark.net.listener;

import dev.waymark.protocol.CloseReason;

/**
 * Thrown for a client's stream that cannot be cut into messages. One instance per reason and no
 * stack trace: hostile input must cost nothing (rule 11).
 */
final class FramingException extends Exception {
  private static final long serialVersionUID = 1L;

  static final FramingException TOO_LONG = new FramingException(CloseReason.FRAME_TOO_LONG);
  static final FramingException INVALID = new FramingException(CloseReason.FRAME_INVALID);

  private final CloseReason reason;

  private FramingException(CloseReason reason) {
    super(reason.meaning(), null, false, false);
    this.reason = reason;
  }

  /** Returns FRAME_TOO_LONG or FRAME_INVALID. */
  CloseReason reason() {
    return reason;
  }
}
