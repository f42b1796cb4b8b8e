package dev.waymark.net.listener;

import static dev.waymark.net.listener.ProxyHeaders.ADDRESSES4;
import static dev.waymark.net.listener.ProxyHeaders.LOCAL;
import static dev.waymark.net.listener.ProxyHeaders.PROXY;
import static dev.waymark.net.listener.ProxyHeaders.TCP4;
import static dev.waymark.net.listener.ProxyHeaders.TCP6;
import static dev.waymark.net.listener.ProxyHeaders.UNIX;
import static dev.waymark.net.listener.ProxyHeaders.binary;
import static dev.waymark.net.listener.ProxyHeaders.hex;
import static dev.waymark.net.listener.ProxyHeaders.join;
import static dev.waymark.net.listener.ProxyHeaders.line;
import static dev.waymark.net.listener.ProxyHeaders.path;
import static dev.waymark.net.listener.ProxyHeaders.tcp4;
import static dev.waymark.net.listener.ProxyHeaders.tls;
import static dev.waymark.net.listener.ProxyHeaders.tlv;
import static dev.waymark.net.listener.ProxyHeaders.withChecksum;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.waymark.protocol.ProxyFacts;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ProxyHeaderTest {
  private static final String PEER = "10.0.0.9:5";

  /** Raise it for a long run: a million takes some seconds. */
  private static final int RANDOM_HEADERS = Integer.getInteger("waymark.proxy.headers", 50_000);

  private static final byte[] NONE = new byte[0];
  private static final byte[] ADDRESSES6 =
      join(
          hex("20010db8000000000000000000000001"),
          hex("00000000000000000000000000000001"),
          hex("ffff0000"));

  static Stream<Arguments> good() {
    return Stream.of(
        // version 1
        addresses(
            line("PROXY TCP4 192.0.2.1 198.51.100.2 4660 443"),
            "192.0.2.1:4660",
            "198.51.100.2:443"),
        addresses(
            line("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535"),
            "255.255.255.255:65535",
            "255.255.255.255:65535"),
        // HAProxy gives port 0 when `set-src` has changed the family of the address.
        addresses(
            line("PROXY TCP4 192.0.2.1 198.51.100.2 0 443"), "192.0.2.1:0", "198.51.100.2:443"),
        addresses(line("PROXY TCP6 2001:db8::1 ::1 1 2"), "[2001:db8::1]:1", "[::1]:2"),
        addresses(
            line(
                "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535"),
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"),
        addresses(
            line("PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::ffff:10.0.0.1 1 2"),
            "[2001:db8::1]:1",
            "10.0.0.1:2"),
        addresses(line("PROXY UNKNOWN"), "", ""),
        addresses(line("PROXY UNKNOWN ffff::1 ffff::1 65535 65535"), "", ""),
        addresses(line("PROXY UNKNOWN " + "x".repeat(91)), "", ""),
        // version 2
        addresses(tcp4(), "192.0.2.1:4660", "198.51.100.2:443"),
        addresses(binary(PROXY, 0x12, ADDRESSES4), "192.0.2.1:4660", "198.51.100.2:443"),
        addresses(binary(PROXY, TCP6, ADDRESSES6), "[2001:db8::1]:65535", "[::1]:0"),
        addresses(binary(PROXY, 0x22, ADDRESSES6), "[2001:db8::1]:65535", "[::1]:0"),
        addresses(binary(PROXY, UNIX, path("/run/a"), path("")), "unix:/run/a", "unix:"),
        addresses(
            binary(PROXY, 0x32, path("x".repeat(108)), path("/b")),
            "unix:" + "x".repeat(108),
            "unix:/b"),
        addresses(binary(PROXY, 0x00), "", ""),
        addresses(binary(PROXY, 0x00, hex("0102030405")), "", ""),
        addresses(binary(LOCAL, 0x00), "", ""),
        addresses(binary(LOCAL, TCP4, ADDRESSES4), "", ""),
        addresses(binary(LOCAL, 0xff, hex("ff")), "", ""),
        // the largest
        addresses(
            tcp4(tlv(0x04, new byte[ProxyHeader.BYTES_MAX - 16 - 12 - 3])),
            "192.0.2.1:4660",
            "198.51.100.2:443"));
  }

  private static Arguments addresses(byte[] header, String source, String destination) {
    return arguments(header, source, destination);
  }

  @ParameterizedTest
  @MethodSource("good")
  void header_thatIsValid_isRead_whereverItIsSplit_andWhateverFollows(
      byte[] header, String source, String destination) throws Exception {
    ProxyFacts facts = ProxyHeader.read(header.clone(), PEER);
    assertThat(facts.sourceAddress()).isEqualTo(source);
    assertThat(facts.destinationAddress()).isEqualTo(destination);
    assertThat(facts.proxyAddress()).isEqualTo(PEER);
    assertThat(facts.version()).isEqualTo(header[0] == 'P' ? 1 : 2);
    assertThat(facts.isLocal()).isEqualTo(header[0] != 'P' && header[12] == LOCAL);
    for (int bytes = 0; bytes < header.length; bytes++) {
      assertThat(ProxyHeader.length(Unpooled.wrappedBuffer(header, 0, bytes))).isEqualTo(-1);
    }
    byte[] more = join(header, line("PROXY TCP4 hello"));
    assertThat(ProxyHeader.length(Unpooled.wrappedBuffer(more))).isEqualTo(header.length);
  }

  static Stream<Arguments> bad() {
    RefusalReason missing = RefusalReason.PROXY_HEADER_MISSING;
    RefusalReason invalid = RefusalReason.PROXY_HEADER_INVALID;
    RefusalReason tooLong = RefusalReason.PROXY_HEADER_TOO_LONG;
    return Stream.of(
        // something else
        arguments(bytes("G"), missing),
        arguments(bytes("GET / HTTP/1.1\r\n\r\n"), missing),
        arguments(bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), missing),
        arguments(hex("160301"), missing),
        arguments(bytes("proxy TCP4 "), missing),
        arguments(bytes("PROXY\r\n"), missing),
        arguments(bytes("\r\n\r\nGET"), missing),
        arguments(hex("0d0a0d0a000d0a515549540b"), missing),
        // version 1
        arguments(line("PROXY "), invalid),
        arguments(line("PROXY TCP5 192.0.2.1 192.0.2.2 1 2"), invalid),
        arguments(line("PROXY TCP4"), invalid),
        arguments(line("PROXY UNKNOWN2"), invalid),
        arguments(line("PROXY TCP4 192.0.2.1 192.0.2.2 1"), invalid),
        arguments(line("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 "), invalid),
        arguments(line("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3"), invalid),
        arguments(line("PROXY TCP4  192.0.2.1 192.0.2.2 1 2"), invalid),
        arguments(line("PROXY TCP4 192.0.2.1 192.0.2.2 01 2"), invalid),
        arguments(line("PROXY TCP4 192.0.2.1 192.0.2.2 +1 2"), invalid),
        arguments(line("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536"), invalid),
        arguments(line("PROXY TCP4 192.0.2.1 192.0.2.2 1 100000"), invalid),
        arguments(line("PROXY TCP4 192.0.2.1 192.0.2.2 1 "), invalid),
        arguments(line("PROXY TCP4 192.0.2.256 192.0.2.2 1 2"), invalid),
        arguments(line("PROXY TCP4 192.0.2.010 192.0.2.2 1 2"), invalid),
        arguments(line("PROXY TCP4 192.0.2 192.0.2.2 1 2"), invalid),
        arguments(line("PROXY TCP4 ::1 192.0.2.2 1 2"), invalid),
        arguments(line("PROXY TCP6 192.0.2.1 ::1 1 2"), invalid),
        arguments(line("PROXY TCP6 [::1] ::1 1 2"), invalid),
        arguments(line("PROXY TCP6 fe80::1%eth0 ::1 1 2"), invalid),
        arguments(line("PROXY TCP6 ::g ::1 1 2"), invalid),
        arguments(bytes("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"), invalid),
        arguments(bytes("PROXY UNKNOWN " + "x".repeat(93)), tooLong),
        arguments(line("PROXY UNKNOWN " + "x".repeat(92)), tooLong),
        // version 2
        arguments(binary(0x11, TCP4, ADDRESSES4), invalid),
        arguments(binary(0x22, TCP4, ADDRESSES4), invalid),
        arguments(binary(0x01, TCP4, ADDRESSES4), invalid),
        arguments(hex(ProxyHeaders.SIGNATURE + "31"), invalid),
        arguments(binary(PROXY, 0x01), invalid),
        arguments(binary(PROXY, 0x10, ADDRESSES4), invalid),
        arguments(binary(PROXY, 0x13, ADDRESSES4), invalid),
        arguments(binary(PROXY, 0x41, ADDRESSES4), invalid),
        arguments(binary(PROXY, TCP4), invalid),
        arguments(binary(PROXY, TCP4, Arrays.copyOf(ADDRESSES4, 11)), invalid),
        arguments(binary(PROXY, TCP6, Arrays.copyOf(ADDRESSES6, 35)), invalid),
        arguments(binary(PROXY, UNIX, path("/a"), new byte[107]), invalid),
        arguments(hex(ProxyHeaders.SIGNATURE + "2111 1ff1"), tooLong),
        arguments(hex(ProxyHeaders.SIGNATURE + "2111 ffff"), tooLong),
        // TLVs
        arguments(tcp4(hex("01")), invalid),
        arguments(tcp4(hex("0100")), invalid),
        arguments(tcp4(hex("010001")), invalid),
        arguments(tcp4(hex("05000400")), invalid),
        arguments(tcp4(tlv(0x05, "a"), hex("05ffff00")), invalid),
        arguments(tcp4(tlv(0x20, "1234")), invalid),
        arguments(tcp4(tls(1, 0, hex("210001"))), invalid),
        arguments(tcp4(tls(1, 0, hex("21"))), invalid),
        arguments(tcp4(tlv(0x03, "123")), invalid),
        arguments(tcp4(tlv(0x03, "12345")), invalid),
        arguments(withChecksum(tlv(0x03, new byte[4])), invalid),
        arguments(tcp4(tlv(0x03, "1234")), RefusalReason.PROXY_HEADER_CHECKSUM));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(ISO_8859_1);
  }

  @ParameterizedTest
  @MethodSource("bad")
  void header_thatIsNotValid_isRefusedWithAReason_andNoStackTrace(
      byte[] header, RefusalReason reason) {
    assertThatThrownBy(() -> read(header))
        .isInstanceOfSatisfying(
            ProxyHeaderException.class, bad -> assertThat(bad.reason()).isEqualTo(reason))
        .satisfies(bad -> assertThat(bad.getStackTrace()).isEmpty());
  }

  static Stream<Arguments> mistakes() {
    return Stream.of(
        arguments(bytes("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"), "malformed line"),
        arguments(line("PROXY TCP5 192.0.2.1 192.0.2.2 1 2"), "malformed line"),
        arguments(line("PROXY TCP4 192.0.2.256 192.0.2.2 1 2"), "malformed address"),
        arguments(line("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536"), "malformed port"),
        arguments(binary(0x31, TCP4, ADDRESSES4), "neither version 1 nor 2"),
        arguments(binary(0x22, TCP4, ADDRESSES4), "unknown command"),
        arguments(binary(PROXY, 0x13, ADDRESSES4), "unknown address family or protocol"),
        arguments(binary(PROXY, TCP4), "too short for its addresses"),
        arguments(tcp4(hex("05000400")), "a TLV is cut off"),
        arguments(tcp4(tlv(0x20, "1234")), "the TLV of TLS is too short"),
        arguments(tcp4(tlv(0x03, "123")), "malformed TLV of the checksum"),
        arguments(tcp4(tlv(0x03, "1234")), ""));
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void header_thatIsNotValid_isRefusedWithWhatIsWrong(byte[] header, String detail) {
    assertThatThrownBy(() -> read(header))
        .isInstanceOfSatisfying(
            ProxyHeaderException.class, bad -> assertThat(bad.detail()).isEqualTo(detail));
  }

  /** Returns null while the header is incomplete. */
  private static @Nullable ProxyFacts read(byte[] bytes) throws ProxyHeaderException {
    int length = ProxyHeader.length(Unpooled.wrappedBuffer(bytes));
    return length < 0 ? null : ProxyHeader.read(Arrays.copyOf(bytes, length), PEER);
  }

  @Test
  void tlvs_areRead() throws Exception {
    byte[] header =
        withChecksum(
            tlv(0x01, "h2"),
            tlv(0x02, "é.example.org".getBytes(UTF_8)),
            tlv(0x05, hex("00ff")),
            tlv(0x04, "padding"),
            tlv(0x30, "blue"),
            tlv(0xea, hex("01766d")),
            tls(
                7,
                0,
                tlv(0x21, "TLSv1.3"),
                tlv(0x22, "client"),
                tlv(0x23, "AES"),
                tlv(0x25, "EC256")));
    assertThat(ProxyHeader.read(header, PEER))
        .usingRecursiveComparison()
        .isEqualTo(
            new ProxyFacts(
                2,
                false,
                PEER,
                "192.0.2.1:4660",
                "198.51.100.2:443",
                "é.example.org",
                "h2",
                hex("00ff"),
                new ProxyFacts.Tls(
                    "TLSv1.3",
                    "AES",
                    true,
                    true,
                    "client",
                    List.of(new ProxyFacts.Tlv(0x25, bytes("EC256")))),
                List.of(
                    new ProxyFacts.Tlv(0x30, bytes("blue")),
                    new ProxyFacts.Tlv(0xea, hex("01766d"))),
                false));
  }

  @Test
  void tlvs_ofUnixClients_areReadToo() throws Exception {
    byte[] header = binary(PROXY, UNIX, path("/a"), path("/b"), tlv(0x05, "id"));
    assertThat(ProxyHeader.read(header, PEER).uniqueId()).isEqualTo(bytes("id"));
  }

  @Test
  void tls_verified_needsACertificate() throws Exception {
    assertThat(tlsOf(tls(1, 0))).isEqualTo(new ProxyFacts.Tls("", "", false, false, "", List.of()));
    assertThat(tlsOf(tls(3, 0)).isVerified()).isTrue();
    assertThat(tlsOf(tls(5, 0)).isVerified()).isTrue();
    assertThat(tlsOf(tls(3, 1))).isEqualTo(new ProxyFacts.Tls("", "", true, false, "", List.of()));
  }

  private static ProxyFacts.Tls tlsOf(byte[] tlv) throws ProxyHeaderException {
    return Objects.requireNonNull(ProxyHeader.read(tcp4(tlv), PEER).tls());
  }

  @Test
  void tls_ofAPlaintextClient_isAbsent() throws Exception {
    assertThat(ProxyHeader.read(tcp4(tls(0, 1)), PEER).tls()).isNull();
  }

  @Test
  void tlv_thatComesAgain_orIsNotText_isAmongTheOthers() throws Exception {
    ProxyFacts facts =
        ProxyHeader.read(
            tcp4(
                tlv(0x02, hex("ff")),
                tlv(0x02, "first"),
                tlv(0x02, "second"),
                tlv(0x05, "a"),
                tlv(0x05, "b"),
                tls(1, 0),
                tls(1, 0)),
            PEER);
    assertThat(facts.authority()).isEqualTo("first");
    assertThat(facts.uniqueId()).isEqualTo(bytes("a"));
    assertThat(facts.others().stream().map(ProxyFacts.Tlv::type)).containsExactly(2, 2, 5, 0x20);
    assertThat(facts.isCut()).isFalse();
  }

  @Test
  void tlvs_beyondTheBound_areLeftOut_andTheFactsSaySo() throws Exception {
    ProxyFacts facts =
        ProxyHeader.read(
            tcp4(tlv(0xe0, new byte[4_000]), tlv(0xe1, new byte[200]), tlv(0x05, "id")), PEER);
    assertThat(facts.others().stream().map(ProxyFacts.Tlv::type)).containsExactly(0xe0);
    assertThat(facts.uniqueId()).isEqualTo(bytes("id"));
    assertThat(facts.isCut()).isTrue();
    byte[][] empty = new byte[2_000][];
    Arrays.fill(empty, tlv(0xe0, NONE));
    facts = ProxyHeader.read(tcp4(empty), PEER);
    assertThat(facts.others()).hasSizeLessThan(300);
    assertThat(facts.isCut()).isTrue();
  }

  @Test
  void header_withAChecksum_andAnyBitChanged_isRefused() {
    byte[] header = withChecksum(tlv(0x02, "example.org"), tls(1, 0, tlv(0x21, "TLSv1.3")));
    int checksumAt = 16 + ADDRESSES4.length;
    for (int bit = 0; bit < header.length * 8; bit++) {
      int at = bit / 8;
      // Command, family and length may be valid otherwise, and so may a TLV of another type.
      if ((at < 12 || at >= 16) && at != checksumAt) {
        byte[] changed = header.clone();
        changed[at] ^= (byte) (1 << bit % 8);
        assertThatThrownBy(() -> read(changed)).isInstanceOf(ProxyHeaderException.class);
      }
    }
  }

  /**
   * Random, changed and cut headers: a reason or facts within bounds, never another exception; and
   * what Netty's decoder reads too has the same addresses.
   */
  @Test
  void header_random_isReadOrRefused_andNettyAgrees() {
    var random = new SplittableRandom(1);
    List<byte[]> seeds = good().map(row -> (byte[]) row.get()[0]).toList();
    byte[] rich =
        withChecksum(
            tlv(1, "h2"), tlv(2, "a.b"), tlv(5, "id"), tls(7, 0, tlv(0x21, "T"), tlv(0x22, "c")));
    int readCount = 0;
    int agreedCount = 0;
    for (int i = 0; i < RANDOM_HEADERS; i++) {
      byte[] header = random.nextInt(4) == 0 ? rich : seeds.get(random.nextInt(seeds.size()));
      byte[] hostile = changed(header, random);
      ProxyFacts facts = null;
      try {
        facts = read(hostile);
      } catch (ProxyHeaderException refused) {
        assertThat(refused.reason().label()).startsWith("proxy_header_");
      }
      if (facts != null) {
        readCount++;
        assertThat(boundedBytes(facts)).isLessThanOrEqualTo(SizeLimits.PROXY_BYTES_MAX);
        agreedCount += i % 64 == 0 && agrees(hostile, facts) ? 1 : 0;
      }
    }
    assertThat(readCount).isGreaterThan(RANDOM_HEADERS / 20);
    assertThat(agreedCount).isGreaterThan(RANDOM_HEADERS / 2_000);
  }

  private static byte[] changed(byte[] header, SplittableRandom random) {
    byte[] copy = header.clone();
    if (random.nextInt(50) == 0) {
      random.nextBytes(copy);
    }
    for (int changes = random.nextInt(4); changes > 0; changes--) {
      int at =
          random.nextBoolean()
              ? random.nextInt(copy.length)
              : Math.min(copy.length - 1, 12 + random.nextInt(40));
      copy[at] = (byte) random.nextInt(256);
    }
    return random.nextInt(8) == 0 ? Arrays.copyOf(copy, random.nextInt(copy.length + 1)) : copy;
  }

  private static int boundedBytes(ProxyFacts facts) {
    int bytes =
        facts.authority().length() + facts.applicationProtocol().length() + facts.uniqueId().length;
    bytes += facts.others().stream().mapToInt(other -> other.value().length).sum();
    ProxyFacts.Tls tls = facts.tls();
    if (tls != null) {
      bytes += tls.version().length() + tls.cipher().length() + tls.commonName().length();
      bytes += tls.others().stream().mapToInt(other -> other.value().length).sum();
    }
    return bytes;
  }

  /** Whether Netty reads it too. Where it refuses what this class reads, see decision 0040. */
  private static boolean agrees(byte[] header, ProxyFacts facts) {
    HAProxyMessage message = netty(header);
    if (message == null) {
      return false;
    }
    try {
      if (facts.hasClientAddress()) {
        String host = SocketClient.host(facts.sourceAddress());
        assertThat(InetAddress.ofLiteral(message.sourceAddress()))
            .isEqualTo(InetAddress.ofLiteral(host));
        assertThat(facts.sourceAddress()).endsWith(":" + message.sourcePort());
        assertThat(facts.destinationAddress()).endsWith(":" + message.destinationPort());
      }
      return true;
    } finally {
      message.release();
    }
  }

  private static @Nullable HAProxyMessage netty(byte[] header) {
    EmbeddedChannel channel = new EmbeddedChannel(new HAProxyMessageDecoder());
    try {
      channel.writeInbound(Unpooled.wrappedBuffer(header));
      Object first = channel.readInbound();
      if (first instanceof ByteBuf bytes) {
        bytes.release();
      }
      return first instanceof HAProxyMessage message ? message : null;
    } catch (RuntimeException refused) {
      return null;
    } finally {
      channel.finishAndReleaseAll();
    }
  }

  /** The reasons for a reader of our own; when this fails, look again at decision 0040. */
  @Test
  void netty_refusesPortZero_andLooksBeyondTheHeader() {
    assertThat(netty(line("PROXY TCP4 192.0.2.1 198.51.100.2 0 443"))).isNull();
    EmbeddedChannel channel = new EmbeddedChannel(new HAProxyMessageDecoder());
    assertThatThrownBy(() -> channel.writeInbound(Unpooled.wrappedBuffer(tcp4(hex("05ffff00")))))
        .hasRootCauseInstanceOf(IndexOutOfBoundsException.class);
    assertThat(channel.isOpen()).isTrue();
    channel.finishAndReleaseAll();
  }
}
