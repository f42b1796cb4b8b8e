package dev.waymark.tools.directory.dns;

/** The codes of answers (RFC 1035, section 4.1.1, and RFC 6891, section 9). */
enum ResponseCode {
  NOERROR(0),
  /** The query is malformed. */
  FORMERR(1),
  /** The name does not exist. */
  NXDOMAIN(3),
  /** Not a plain query. */
  NOTIMP(4),
  /** Not of this zone, or nothing that this server gives out. */
  REFUSED(5),
  /** An unknown version of EDNS. */
  BADVERS(16);

  private final int code;

  ResponseCode(int code) {
    this.code = code;
  }

  /** 0 to 4,095; the header has the lower four bits, the rest is in the OPT record. */
  int code() {
    return code;
  }
}
