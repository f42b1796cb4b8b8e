package dev.waymark.tools.directory.dns;

import dev.waymark.tools.directory.dns.Query.Edns;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Answers queries: bytes in, bytes out, without sockets. Confined to the event loop.
 *
 * <p>An answer over UDP has as many records as fit, and the TC bit if that is not all of them. Over
 * TCP it has at most {@link #RECORDS_MAX}, and at most 64 KiB; of a longer list, any of them. SRV
 * records bring the addresses of their targets, as far as they fit.
 */
final class Responder {
  /** How many records an answer has at most, without the addresses of targets. */
  static final int RECORDS_MAX = 1_000;

  /** The longest message (RFC 1035, section 4.2.2). */
  static final int MESSAGE_BYTES_MAX = 0xffff;

  /** The longest answer over UDP to a query without EDNS (RFC 1035, section 4.2.1). */
  static final int PLAIN_UDP_BYTES_MAX = 512;

  private static final int AUTHORITATIVE = 0x0400;
  private static final int TRUNCATED = 0x0200;
  private static final int FLAGS_OFFSET = 2;
  private static final int QUESTION_COUNT_OFFSET = 4;
  private static final int ANSWER_COUNT_OFFSET = 6;
  private static final int AUTHORITY_COUNT_OFFSET = 8;
  private static final int ADDITIONAL_COUNT_OFFSET = 10;
  private static final int POINTER_BYTES = 2;

  /** The largest offset in a pointer of 14 bits (RFC 1035, section 4.1.4). */
  private static final int POINTER_MAX = 0x3fff;

  private static final int OPT_BYTES = 11;
  private static final int HEADER_CODE_MASK = 0xf;
  private static final int HEADER_CODE_BITS = 4;
  private static final int DNSSEC_OK = 0x8000;

  private final Zone zone;
  private final int udpBytesMax;
  private final RandomGenerator random;
  private final DnsCounters counters;
  private final byte[] scratch = new byte[Names.BYTES_MAX];
  private final WireWriter out = new WireWriter(MESSAGE_BYTES_MAX);
  private int flags;

  /** How long the answer under way may become. */
  private int end;

  private long answers;

  /** How a query came. */
  enum Via {
    UDP,
    /** Its source gets more answers than allowed: this one just says to use TCP. */
    UDP_OVER_RATE,
    TCP
  }

  /**
   * @param udpBytesMax of answers over UDP, {@link #PLAIN_UDP_BYTES_MAX} or more
   */
  Responder(Zone zone, int udpBytesMax, RandomGenerator random, DnsCounters counters) {
    this.zone = zone;
    this.udpBytesMax = udpBytesMax;
    this.random = random;
    this.counters = counters;
  }

  /** Begins with the last answer; valid until the next. */
  byte[] answer() {
    return out.bytes();
  }

  /**
   * Answers a query.
   *
   * @param packet begins with the query
   * @param length how many bytes that is
   * @return how long the {@link #answer} is; 0 if there is none
   */
  int answer(byte[] packet, int length, Via via) {
    Query query = Query.read(packet, length, scratch);
    if (query == null) {
      counters.ignored.increment();
      return 0;
    }
    begin(query, packet, via);
    ResponseCode code = query.code();
    if (code == ResponseCode.NOERROR) {
      RecordType type = RecordType.of(query.typeCode());
      counters.query(type);
      code = resolve(query, type, via);
    }
    finish(query.edns(), code);
    counters.answer(code);
    return out.position();
  }

  private void begin(Query query, byte[] packet, Via via) {
    Edns edns = query.edns();
    answers++;
    flags =
        Query.RESPONSE
            | query.opcode() << Query.OPCODE_SHIFT
            | (query.isRecursionDesired() ? Query.RECURSION_DESIRED : 0);
    end = via == Via.TCP ? MESSAGE_BYTES_MAX : udpBytes(edns);
    end -= edns == null ? 0 : OPT_BYTES;
    out.restart();
    out.writeShort(query.id());
    out.writeShort(0);
    out.writeInt(0);
    out.writeInt(0);
    out.setShort(QUESTION_COUNT_OFFSET, query.questionBytes() > 0 ? 1 : 0);
    out.writeBytes(packet, Query.HEADER_BYTES, query.questionBytes());
  }

  private int udpBytes(@Nullable Edns edns) {
    return edns == null
        ? PLAIN_UDP_BYTES_MAX
        : Math.clamp(edns.payloadBytes(), PLAIN_UDP_BYTES_MAX, udpBytesMax);
  }

  private ResponseCode resolve(Query query, RecordType type, Via via) {
    if (query.recordClass() != Query.IN || type == RecordType.META || !zone.contains(query.key())) {
      return ResponseCode.REFUSED;
    }
    flags |= AUTHORITATIVE;
    if (via == Via.UDP_OVER_RATE) {
      flags |= TRUNCATED;
      counters.overRate.increment();
      return ResponseCode.NOERROR;
    }
    Place place = zone.find(query.key());
    RecordSet records =
        place == null ? null : type == RecordType.ANY ? zone.any() : place.records(type);
    if (records == null) {
      writeNothing(query);
    } else {
      write(records, via);
    }
    return place == null ? ResponseCode.NXDOMAIN : ResponseCode.NOERROR;
  }

  /** Says for how long nothing will be there (RFC 2308, section 3). */
  private void writeNothing(Query query) {
    // The question ends with the name of the zone, its type and its class.
    int ofZone = Query.HEADER_BYTES + query.questionBytes() - 2 * Short.BYTES - zone.nameBytes();
    if (write(zone.startOfAuthority().get(0), ofZone)) {
      out.setShort(AUTHORITY_COUNT_OFFSET, 1);
    }
  }

  private void write(RecordSet records, Via via) {
    int start = out.position();
    int count = 0;
    int wanted = Math.min(records.size(), RECORDS_MAX);
    while (count < wanted && write(records.draw(count, random), Query.HEADER_BYTES)) {
      count++;
    }
    out.setShort(ANSWER_COUNT_OFFSET, count);
    if (count == wanted) {
      out.setShort(ADDITIONAL_COUNT_OFFSET, writeTargets(records, count, start));
    } else if (via == Via.UDP) {
      flags |= TRUNCATED;
      counters.truncated.increment();
    }
  }

  /** Adds the addresses of the targets of the records that were written, while they fit. */
  private int writeTargets(RecordSet records, int count, int start) {
    int written = 0;
    int at = start;
    for (int i = 0; i < count; i++) {
      EncodedRecord record = records.get(i);
      Host target = record.target();
      int ofTarget = at + POINTER_BYTES + record.targetOffset();
      if (target != null && target.enter(answers)) {
        if (ofTarget > POINTER_MAX || !write(target.record(), ofTarget)) {
          return written;
        }
        written++;
      }
      at += POINTER_BYTES + record.bytes().length;
    }
    return written;
  }

  /**
   * Writes a record if it fits.
   *
   * @param ofName where its name is in the message
   */
  private boolean write(EncodedRecord record, int ofName) {
    byte[] bytes = record.bytes();
    if (out.position() + POINTER_BYTES + bytes.length > end) {
      return false;
    }
    out.writeShort(Names.POINTER << Byte.SIZE | ofName);
    out.writeBytes(bytes);
    return true;
  }

  private void finish(@Nullable Edns edns, ResponseCode code) {
    out.setShort(FLAGS_OFFSET, flags | (code.code() & HEADER_CODE_MASK));
    if (edns == null) {
      return;
    }
    out.writeByte(0);
    out.writeShort(RecordType.OPT);
    out.writeShort(udpBytesMax);
    out.writeByte(code.code() >>> HEADER_CODE_BITS);
    out.writeByte(0);
    out.writeShort(edns.isDnssecOk() ? DNSSEC_OK : 0);
    out.writeShort(0);
    out.setShort(ADDITIONAL_COUNT_OFFSET, out.shortAt(ADDITIONAL_COUNT_OFFSET) + 1);
  }
}
