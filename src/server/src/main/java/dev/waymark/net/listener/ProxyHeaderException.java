package dev.waymark.net.listener;

/**
 * Bytes that are no PROXY header, or not a valid one. One constant per mistake, without a stack
 * trace: hostile input must cost nothing.
 */
final class ProxyHeaderException extends Exception {
  private static final long serialVersionUID = 1L;

  static final ProxyHeaderException MISSING =
      new ProxyHeaderException(RefusalReason.PROXY_HEADER_MISSING, "");
  static final ProxyHeaderException TOO_LONG =
      new ProxyHeaderException(RefusalReason.PROXY_HEADER_TOO_LONG, "");
  static final ProxyHeaderException CHECKSUM =
      new ProxyHeaderException(RefusalReason.PROXY_HEADER_CHECKSUM, "");

  /** Version 1: a line that ends without CR, or has other words than the specification says. */
  static final ProxyHeaderException LINE = invalid("malformed line");

  static final ProxyHeaderException ADDRESS = invalid("malformed address");
  static final ProxyHeaderException PORT = invalid("malformed port");
  static final ProxyHeaderException VERSION = invalid("neither version 1 nor 2");
  static final ProxyHeaderException COMMAND = invalid("unknown command");
  static final ProxyHeaderException FAMILY = invalid("unknown address family or protocol");
  static final ProxyHeaderException TOO_SHORT = invalid("too short for its addresses");
  static final ProxyHeaderException TLV = invalid("a TLV is cut off");
  static final ProxyHeaderException TLS = invalid("the TLV of TLS is too short");
  static final ProxyHeaderException CHECKSUM_TLV = invalid("malformed TLV of the checksum");

  private final RefusalReason reason;
  private final String detail;

  private ProxyHeaderException(RefusalReason reason, String detail) {
    super(reason.label(), null, false, false);
    this.reason = reason;
    this.detail = detail;
  }

  private static ProxyHeaderException invalid(String what) {
    return new ProxyHeaderException(RefusalReason.PROXY_HEADER_INVALID, what);
  }

  RefusalReason reason() {
    return reason;
  }

  /** What is wrong; empty where the reason says it all. */
  String detail() {
    return detail;
  }
}
