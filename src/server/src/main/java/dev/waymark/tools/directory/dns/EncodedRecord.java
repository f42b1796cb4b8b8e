package dev.waymark.tools.directory.dns;

import org.jspecify.annotations.Nullable;

/** A resource record as it is sent, but for the name to which it belongs. Immutable. */
final class EncodedRecord {
  /** Type, class, TTL and length of the data (RFC 1035, section 4.1.3). */
  private static final int FIXED_BYTES = 10;

  private static final int SRV_NUMBERS_BYTES = 6;
  private static final int UNSIGNED_SHORT_MAX = 0xffff;

  private final byte[] bytes;
  private final int targetOffset;
  private final @Nullable Host target;

  private EncodedRecord(byte[] bytes, int targetOffset, @Nullable Host target) {
    this.bytes = bytes;
    this.targetOffset = targetOffset;
    this.target = target;
  }

  /** An A or AAAA record, by the length of the address. */
  static EncodedRecord address(byte[] ip, int ttlSeconds) {
    RecordType type = ip.length == Integer.BYTES ? RecordType.A : RecordType.AAAA;
    WireWriter out = begin(type.code(), ttlSeconds, ip.length);
    out.writeBytes(ip);
    return new EncodedRecord(out.bytes(), 0, null);
  }

  /**
   * An SRV record (RFC 2782). The name of its target is not compressed, as it demands.
   *
   * @param target as it is on the wire
   * @param host has the address of the target, if this zone has it
   */
  static EncodedRecord service(
      int priority, int weight, int port, byte[] target, @Nullable Host host, int ttlSeconds) {
    WireWriter out = begin(RecordType.SRV.code(), ttlSeconds, SRV_NUMBERS_BYTES + target.length);
    out.writeShort(Math.clamp(priority, 0, UNSIGNED_SHORT_MAX));
    out.writeShort(Math.clamp(weight, 0, UNSIGNED_SHORT_MAX));
    out.writeShort(port);
    out.writeBytes(target);
    return new EncodedRecord(out.bytes(), FIXED_BYTES + SRV_NUMBERS_BYTES, host);
  }

  /** An NS record. */
  static EncodedRecord nameServer(byte[] name, @Nullable Host host, int ttlSeconds) {
    WireWriter out = begin(RecordType.NS.code(), ttlSeconds, name.length);
    out.writeBytes(name);
    return new EncodedRecord(out.bytes(), FIXED_BYTES, host);
  }

  /**
   * An SOA record (RFC 1035, section 3.3.13).
   *
   * @param numbers serial, refresh, retry, expire and minimum
   */
  static EncodedRecord startOfAuthority(
      byte[] server, byte[] mailbox, int[] numbers, int ttlSeconds) {
    int dataBytes = server.length + mailbox.length + numbers.length * Integer.BYTES;
    WireWriter out = begin(RecordType.SOA.code(), ttlSeconds, dataBytes);
    out.writeBytes(server);
    out.writeBytes(mailbox);
    for (int each : numbers) {
      out.writeInt(each);
    }
    return new EncodedRecord(out.bytes(), 0, null);
  }

  /** An HINFO record whose data is two texts. */
  static EncodedRecord hostInfo(byte[] cpu, byte[] system, int ttlSeconds) {
    WireWriter out = begin(RecordType.HINFO, ttlSeconds, cpu.length + system.length + 2);
    out.writeByte(cpu.length);
    out.writeBytes(cpu);
    out.writeByte(system.length);
    out.writeBytes(system);
    return new EncodedRecord(out.bytes(), 0, null);
  }

  private static WireWriter begin(int type, int ttlSeconds, int dataBytes) {
    WireWriter out = new WireWriter(FIXED_BYTES + dataBytes);
    out.writeShort(type);
    out.writeShort(Query.IN);
    out.writeInt(ttlSeconds);
    out.writeShort(dataBytes);
    return out;
  }

  /** From the type to the end of the data. */
  byte[] bytes() {
    return bytes;
  }

  /** Where in {@link #bytes} the name of the {@link #target} begins. */
  int targetOffset() {
    return targetOffset;
  }

  /** The host that it names, if that is in this zone and has an address. */
  @Nullable Host target() {
    return target;
  }
}
