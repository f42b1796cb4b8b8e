package dev.waymark.tools.directory.dns;

import org.jspecify.annotations.Nullable;

/**
 * A query as far as it could be read. Immutable.
 *
 * @param code NOERROR, or what makes it unanswerable
 * @param id for the answer, like opcode and isRecursionDesired
 * @param opcode 0 for a plain query
 * @param questionBytes how long the question is, behind the header; 0 if it could not be read
 * @param key the name, as {@link Names#readKey} returns it
 * @param typeCode of the records that it asks for
 * @param recordClass of these records
 * @param edns what the OPT record says; null if there is none
 */
record Query(
    ResponseCode code,
    int id,
    int opcode,
    boolean isRecursionDesired,
    int questionBytes,
    String key,
    int typeCode,
    int recordClass,
    @Nullable Edns edns) {
  static final int HEADER_BYTES = 12;
  static final int IN = 1;

  /** Two octets before the counts, with these bits (RFC 1035, section 4.1.1). */
  static final int RESPONSE = 0x8000;

  static final int OPCODE_SHIFT = 11;
  static final int OPCODE_MASK = 0xf;
  static final int RECURSION_DESIRED = 0x0100;

  /** No query has more records behind its question; ours is interested in one. */
  private static final int RECORDS_MAX = 16;

  /**
   * The OPT record (RFC 6891, section 6.1).
   *
   * @param payloadBytes the longest answer over UDP that the sender can take
   * @param version 0 is the only one there is
   * @param isDnssecOk copied to the answer (RFC 3225)
   */
  record Edns(int payloadBytes, int version, boolean isDnssecOk) {
    private static final int DNSSEC_OK = 0x8000;

    /** Reads what follows the type. */
    private static Edns read(WireReader in) {
      int payloadBytes = in.readUnsignedShort();
      in.skip(1);
      int version = in.readUnsignedByte();
      int flags = in.readUnsignedShort();
      in.skip(in.readUnsignedShort());
      return new Edns(payloadBytes, version, (flags & DNSSEC_OK) != 0);
    }
  }

  /**
   * Reads a query.
   *
   * @param packet begins with the message
   * @param length how many bytes that is
   * @param scratch as for {@link Names#readKey}
   * @return null if there is nothing to answer: it is no query, or too short for one
   */
  static @Nullable Query read(byte[] packet, int length, byte[] scratch) {
    WireReader in = new WireReader(packet, length);
    int id = in.readUnsignedShort();
    int flags = in.readUnsignedShort();
    if (length < HEADER_BYTES || (flags & RESPONSE) != 0) {
      return null;
    }
    int opcode = flags >>> OPCODE_SHIFT & OPCODE_MASK;
    boolean isRecursionDesired = (flags & RECURSION_DESIRED) != 0;
    if (opcode != 0) {
      return new Query(ResponseCode.NOTIMP, id, opcode, isRecursionDesired, 0, "", 0, 0, null);
    }
    int questions = in.readUnsignedShort();
    int records = in.readUnsignedShort() + in.readUnsignedShort();
    int additional = in.readUnsignedShort();
    String key = Names.readKey(in, scratch);
    int type = in.readUnsignedShort();
    int recordClass = in.readUnsignedShort();
    if (in.isBroken() || questions != 1) {
      return new Query(ResponseCode.FORMERR, id, opcode, isRecursionDesired, 0, "", 0, 0, null);
    }
    int questionBytes = in.position() - HEADER_BYTES;
    Edns edns = readEdns(in, records, additional);
    ResponseCode code = in.isBroken() ? ResponseCode.FORMERR : codeFor(edns);
    return new Query(
        code, id, opcode, isRecursionDesired, questionBytes, key, type, recordClass, edns);
  }

  private static ResponseCode codeFor(@Nullable Edns edns) {
    return edns != null && edns.version > 0 ? ResponseCode.BADVERS : ResponseCode.NOERROR;
  }

  /** Reads the rest: the reader is broken if it is malformed, or has two OPT records. */
  private static @Nullable Edns readEdns(WireReader in, int records, int additional) {
    if (records + additional > RECORDS_MAX) {
      in.markBroken();
      return null;
    }
    Edns edns = null;
    for (int i = 0; i < records + additional && !in.isBroken(); i++) {
      int start = in.position();
      Names.skip(in);
      boolean isRoot = in.position() == start + 1;
      if (in.readUnsignedShort() == RecordType.OPT && i >= records) {
        if (edns != null || !isRoot) {
          in.markBroken();
        }
        edns = Edns.read(in);
      } else {
        in.skip(Short.BYTES + Integer.BYTES);
        in.skip(in.readUnsignedShort());
      }
    }
    if (!in.isAtEnd()) {
      in.markBroken();
    }
    return edns;
  }
}
