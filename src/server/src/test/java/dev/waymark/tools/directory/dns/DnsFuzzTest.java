package dev.waymark.tools.directory.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.waymark.tools.directory.dns.Responder.Via;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.handler.codec.dns.DnsRecordType;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Random and mutated packets are answered or ignored, whatever they are. */
class DnsFuzzTest {
  private static final int RUNS = 30_000;
  private static final long SEED = 0xd45;
  private static final int REPLY_BIT = 0x80;

  private static final List<byte[]> SEEDS =
      List.of(
          new TestQuery("echo.waymark.internal", DnsRecordType.A).bytes(),
          new TestQuery("echo.waymark.internal", DnsRecordType.SRV).edns(1232).bytes(),
          new TestQuery("_echo._tcp.waymark.internal", DnsRecordType.SRV).bytes(),
          new TestQuery("ip-10-0-0-7.echo.waymark.internal", DnsRecordType.A).edns(512).bytes(),
          new TestQuery("waymark.internal", DnsRecordType.SOA).edns(4096, 0, 0x8000).bytes(),
          new TestQuery("", DnsRecordType.NS).bytes());

  private final FakeCatalog catalog = catalog();
  private final DnsCounters counters = new DnsCounters();
  private final Responder responder =
      new Responder(
          new Zone(catalog, DnsOptions.ZONE, 2, null),
          DnsOptions.UDP_BYTES_MAX,
          new SplittableRandom(1),
          counters);

  private static FakeCatalog catalog() {
    FakeCatalog catalog = new FakeCatalog();
    for (int i = 0; i < 60; i++) {
      catalog.put("echo", "10.0.0." + i + ":4770", 1, i % 3);
    }
    return catalog;
  }

  @Test
  void packets_ofAnyBytes_areAnsweredInBounds() {
    for (int run = 0; run < RUNS; run++) {
      SplittableRandom random = new SplittableRandom(SEED + run);
      byte[] packet = packet(random);
      Via via = Via.values()[random.nextInt(Via.values().length)];
      try {
        check(packet, responder.answer(packet, packet.length, via), via);
      } catch (RuntimeException | AssertionError defect) {
        fail("run %d: %s".formatted(run, Arrays.toString(packet)), defect);
      }
    }
    assertThat(counters.ignored.sum()).isBetween(RUNS / 10L, RUNS / 2L);
  }

  private void check(byte[] packet, int answerBytes, Via via) {
    boolean isQuery = packet.length >= Query.HEADER_BYTES && (packet[2] & REPLY_BIT) == 0;
    assertThat(answerBytes > 0).isEqualTo(isQuery);
    if (isQuery) {
      assertThat(answerBytes)
          .isBetween(
              Query.HEADER_BYTES,
              via == Via.TCP ? Responder.MESSAGE_BYTES_MAX : DnsOptions.UDP_BYTES_MAX);
      byte[] answer = responder.answer();
      assertThat(Arrays.copyOf(answer, 2)).isEqualTo(Arrays.copyOf(packet, 2));
      assertThat(answer[2] & REPLY_BIT).isNotZero();
    }
  }

  @Test
  void datagrams_ofAnyBytes_neverFailNorLeak() {
    var channel = new EmbeddedChannel(new UdpHandler(responder, Optional.empty(), counters));
    var sender = new InetSocketAddress("192.0.2.1", 4_000);
    var nobody = new InetSocketAddress("192.0.2.1", 0);
    for (int run = 0; run < RUNS / 10; run++) {
      SplittableRandom random = new SplittableRandom(SEED - run);
      ByteBuf packet = Unpooled.buffer().writeBytes(packet(random));
      channel.writeInbound(new DatagramPacket(packet, sender, run % 10 == 0 ? nobody : sender));
      DatagramPacket answer = channel.readOutbound();
      if (answer != null) {
        assertThat(run % 10).isNotZero();
        assertThat(answer.recipient()).isEqualTo(sender);
        answer.release();
      }
      assertThat(packet.refCnt()).isZero();
    }
    assertThat(channel.finish()).isFalse();
  }

  @Test
  void streams_ofAnyBytes_neverFailNorLeak() {
    for (int run = 0; run < RUNS / 30; run++) {
      SplittableRandom random = new SplittableRandom(SEED * 2 + run);
      var channel = new EmbeddedChannel();
      TcpConnections connections = new TcpConnections(10, 1, counters);
      new TcpHandler(responder, connections).addTo(channel.pipeline());
      channel.pipeline().fireChannelActive();
      for (int i = 0; i < 10 && channel.isOpen(); i++) {
        byte[] packet = packet(random);
        int length = random.nextInt(10) == 0 ? random.nextInt(65_536) : packet.length;
        ByteBuf chunk = Unpooled.buffer().writeShort(length).writeBytes(packet);
        if (random.nextBoolean()) {
          channel.writeInbound(chunk.readRetainedSlice(1));
        }
        channel.writeInbound(chunk);
      }
      channel.finishAndReleaseAll();
      assertThat(counters.connectionsOpen.get()).isZero();
    }
  }

  private static byte[] packet(SplittableRandom random) {
    byte[] packet;
    if (random.nextInt(4) == 0) {
      packet = new byte[random.nextInt(600)];
      random.nextBytes(packet);
    } else {
      packet = SEEDS.get(random.nextInt(SEEDS.size())).clone();
      for (int i = random.nextInt(5); i > 0; i--) {
        packet[random.nextInt(packet.length)] = (byte) random.nextInt(256);
      }
      if (random.nextInt(4) == 0) {
        packet = Arrays.copyOf(packet, random.nextInt(packet.length + 20));
      }
    }
    return packet;
  }
}
