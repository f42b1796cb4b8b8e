package dev.waymark.tools.directory.dns;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.dns.DnsRecordType;

/** A query as bytes, in which anything may be wrong. */
final class TestQuery {
  static final int ID = 0x1234;
  private final ByteBuf bytes = Unpooled.buffer();

  /** A query for one name, without EDNS. */
  TestQuery(String name, DnsRecordType type) {
    bytes.writeShort(ID).writeShort(0x0100).writeShort(1).writeZero(6);
    name(name);
    bytes.writeShort(type.intValue()).writeShort(1);
  }

  /** Any character is possible, dots excepted. */
  private void name(String name) {
    if (!name.isEmpty()) {
      for (String label : name.split("\\.")) {
        bytes.writeByte(label.length()).writeBytes(label.getBytes(ISO_8859_1));
      }
    }
    bytes.writeByte(0);
  }

  /** With an OPT record. */
  TestQuery edns(int payloadBytes) {
    return edns(payloadBytes, 0, 0);
  }

  TestQuery edns(int payloadBytes, int version, int flags) {
    bytes.writeByte(0).writeShort(41).writeShort(payloadBytes).writeByte(0).writeByte(version);
    bytes.writeShort(flags).writeShort(0);
    return count(10, bytes.getUnsignedShort(10) + 1);
  }

  /** With one of the four counts of the header, at this offset. */
  TestQuery count(int offset, int count) {
    bytes.setShort(offset, count);
    return this;
  }

  TestQuery flags(int flags) {
    bytes.setShort(2, flags);
    return this;
  }

  /** With the class of the question, if that is the last thing in the message. */
  TestQuery recordClass(int recordClass) {
    bytes.setShort(bytes.writerIndex() - 2, recordClass);
    return this;
  }

  TestQuery append(int... more) {
    for (int each : more) {
      bytes.writeByte(each);
    }
    return this;
  }

  byte[] bytes() {
    return ByteBufUtil.getBytes(bytes);
  }
}
