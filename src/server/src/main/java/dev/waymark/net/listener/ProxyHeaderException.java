package dev.waymark.net.listener;

/**
 * Bytes that are no PROXY header, or not a valid one. One constant per reason, without a stack
 * trace: hostile input must cost nothing.
 */
final class ProxyHeaderException extends Exception {
  private static final long serialVersionUID = 1L;

  static final ProxyHeaderException MISSING =
      new ProxyHeaderException(RefusalReason.PROXY_HEADER_MISSING);
  static final ProxyHeaderException INVALID =
      new ProxyHeaderException(RefusalReason.PROXY_HEADER_INVALID);
  static final ProxyHeaderException TOO_LONG =
      new ProxyHeaderException(RefusalReason.PROXY_HEADER_TOO_LONG);
  static final ProxyHeaderException CHECKSUM =
      new ProxyHeaderException(RefusalReason.PROXY_HEADER_CHECKSUM);

  private final RefusalReason reason;

  private ProxyHeaderException(RefusalReason reason) {
    super(reason.label(), null, false, false);
    this.reason = reason;
  }

  RefusalReason reason() {
    return reason;
  }
}
