package dev.waymark.tools.directory.dns;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.handler.codec.dns.DatagramDnsResponseDecoder;
import io.netty.handler.codec.dns.DefaultDnsRecordDecoder;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponse;
import io.netty.handler.codec.dns.DnsSection;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;

/**
 * An answer, read by Netty's codec.
 *
 * @param flags the names of the bits that are set
 * @param lengthBytes of the whole message
 * @param question name and type
 * @param answers, authority, additional: as dig prints records, without the class; OPT as "OPT",
 *     payload size, extended code and flags
 */
record TestAnswer(
    int id,
    String code,
    String flags,
    int lengthBytes,
    List<String> question,
    List<String> answers,
    List<String> authority,
    List<String> additional) {
  private static final int LAST_COUNT_OFFSET = 10;

  static TestAnswer read(byte[] message) {
    var channel = new EmbeddedChannel(new DatagramDnsResponseDecoder());
    var nobody = new InetSocketAddress("127.0.0.1", 1);
    ByteBuf bytes = Unpooled.copiedBuffer(message);
    channel.writeInbound(new DatagramPacket(bytes, nobody, nobody));
    DnsResponse response = channel.readInbound();
    try {
      return read(response, message);
    } finally {
      response.release();
      channel.finishAndReleaseAll();
    }
  }

  private static TestAnswer read(DnsResponse response, byte[] message) {
    StringJoiner flags = new StringJoiner(" ");
    flags.setEmptyValue("");
    if (response.isAuthoritativeAnswer()) {
      flags.add("aa");
    }
    if (response.isTruncated()) {
      flags.add("tc");
    }
    if (response.isRecursionDesired()) {
      flags.add("rd");
    }
    if (response.isRecursionAvailable() || response.z() != 0) {
      flags.add("wrong");
    }
    int counted = message[LAST_COUNT_OFFSET] << 8 | (message[LAST_COUNT_OFFSET + 1] & 0xff);
    List<String> additional = section(response, DnsSection.ADDITIONAL);
    return new TestAnswer(
        response.id(),
        response.code().toString().replaceAll("\\(.*", "").toUpperCase(Locale.ROOT),
        flags.toString(),
        counted == additional.size() ? message.length : -1,
        section(response, DnsSection.QUESTION),
        section(response, DnsSection.ANSWER),
        section(response, DnsSection.AUTHORITY),
        additional);
  }

  private static List<String> section(DnsResponse response, DnsSection section) {
    List<String> records = new ArrayList<>();
    for (int i = 0; i < response.count(section); i++) {
      DnsRecord record = response.recordAt(section, i);
      records.add(record instanceof DnsRawRecord raw ? text(raw) : question(record));
    }
    return records;
  }

  private static String question(DnsRecord record) {
    return record.name() + " " + record.type().name();
  }

  private static String text(DnsRawRecord record) {
    ByteBuf data = record.content().duplicate();
    if (record.type().equals(DnsRecordType.OPT)) {
      return "OPT %d %x".formatted(record.dnsClass(), record.timeToLive());
    }
    String type = record.type().intValue() == RecordType.HINFO ? "HINFO" : record.type().name();
    return record.name() + " " + record.timeToLive() + " " + type + " " + data(type, data);
  }

  private static String data(String type, ByteBuf data) {
    return switch (type) {
      case "A", "AAAA" -> NetUtil.bytesToIpAddress(bytes(data, data.readableBytes()));
      case "NS" -> name(data);
      case "SRV" ->
          data.readUnsignedShort()
              + " "
              + data.readUnsignedShort()
              + " "
              + data.readUnsignedShort()
              + " "
              + name(data);
      case "SOA" ->
          name(data)
              + " "
              + name(data)
              + " "
              + data.readInt()
              + " "
              + data.readInt()
              + " "
              + data.readInt()
              + " "
              + data.readInt()
              + " "
              + data.readInt();
      case "HINFO" -> "\"" + text(data) + "\" \"" + text(data) + "\"";
      default -> throw new AssertionError("unexpected " + type);
    };
  }

  private static String text(ByteBuf data) {
    return new String(bytes(data, data.readUnsignedByte()), US_ASCII);
  }

  private static String name(ByteBuf data) {
    return DefaultDnsRecordDecoder.decodeName(data);
  }

  private static byte[] bytes(ByteBuf data, int count) {
    byte[] bytes = new byte[count];
    data.readBytes(bytes);
    return bytes;
  }
}
