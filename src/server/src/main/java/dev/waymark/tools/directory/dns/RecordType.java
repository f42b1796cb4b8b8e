package dev.waymark.tools.directory.dns;

/** The types of records that a query may ask for, as far as they are told apart. */
enum RecordType {
  A(1),
  NS(2),
  SOA(6),
  AAAA(28),
  SRV(33),
  /** All of them, "*" in RFC 1035. */
  ANY(255),
  /** Transfers and other types that only queries have: 249 to 254 (RFC 6895, section 3.1). */
  META(249),
  OTHER(0);

  /** The type of the record that answers {@link #ANY}; no question about it is special. */
  static final int HINFO = 13;

  /** The type of the pseudo-record of EDNS (RFC 6891). */
  static final int OPT = 41;

  private final int code;

  RecordType(int code) {
    this.code = code;
  }

  /** The number on the wire; the first of them if it has several. */
  int code() {
    return code;
  }

  /** The type with this number. */
  static RecordType of(int code) {
    return switch (code) {
      case 1 -> A;
      case 2 -> NS;
      case 6 -> SOA;
      case 28 -> AAAA;
      case 33 -> SRV;
      case 255 -> ANY;
      case 249, 250, 251, 252, 253, 254 -> META;
      default -> OTHER;
    };
  }
}
