package dev.waymark.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.protocol.BridgeControl;
import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Framing;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.ProxyFacts;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.TlsFacts;
import dev.waymark.v1.BridgeBatch;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.Release;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The generated classes read what a bridge writes, and an upstream reads what the generated classes
 * write.
 */
class BridgeRoundTripTest {
  private static final Hello HELLO = new Hello(-5L, "node-ü", "0.1", "backends", 1, 2);

  private final BridgeBatchWriter writer = new BridgeBatchWriter();
  private final BridgeFrameReader reader = new BridgeFrameReader();
  private final BridgeFrame frame = new BridgeFrame();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void randomFrames_written_areReadByGeneratedClasses(long seed) throws IOException {
    var random = new SplittableRandom(seed);
    for (int round = 0; round < 200; round++) {
      var expected = BridgeBatch.newBuilder();
      for (int i = random.nextInt(12); i >= 0; i--) {
        dev.waymark.v1.BridgeFrame next = RandomFrames.bridge(random);
        expected.addFrames(next);
        write(next);
      }
      assertThat(writer.batch().frames()).isEqualTo(expected.getFramesCount());
      assertThat(writer.batch().bytes()).isEqualTo(expected.build().getSerializedSize());
      assertThat(BridgeBatch.parseFrom(Bytes.drain(writer.batch())))
          .as("seed %d round %d", seed, round)
          .isEqualTo(expected.build());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13, 14, 15, 16, 17, 18})
  void randomFrames_fromGeneratedClasses_areRead(long seed) throws Exception {
    var random = new SplittableRandom(seed);
    for (int round = 0; round < 200; round++) {
      var sent = BridgeBatch.newBuilder();
      for (int i = random.nextInt(12); i > 0; i--) {
        sent.addFrames(RandomFrames.bridge(random));
      }
      ByteBuf batch = Bytes.direct(sent.build().toByteArray());
      for (dev.waymark.v1.BridgeFrame expected : sent.getFramesList()) {
        assertThat(reader.read(batch, frame)).isTrue();
        write(frame);
        assertThat(BridgeBatch.parseFrom(Bytes.drain(writer.batch())).getFramesList())
            .containsExactly(expected);
      }
      assertThat(reader.read(batch, frame)).isFalse();
      assertThat(batch.isReadable()).isFalse();
      batch.release();
      assertThat(batch.refCnt()).as("slices are borrowed").isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {21, 22, 23})
  void randomFrames_looselyEncoded_areRead(long seed) throws Exception {
    var random = new SplittableRandom(seed);
    var encoding = new LooseEncoding(seed);
    for (int round = 0; round < 100; round++) {
      var sent = BridgeBatch.newBuilder();
      for (int i = random.nextInt(12); i > 0; i--) {
        sent.addFrames(RandomFrames.bridge(random));
      }
      byte[] loose = encoding.encode(sent.build());
      ByteBuf batch = Unpooled.wrappedBuffer(loose);
      for (dev.waymark.v1.BridgeFrame expected : sent.getFramesList()) {
        assertThat(reader.read(batch, frame)).isTrue();
        write(frame);
        assertThat(BridgeBatch.parseFrom(Bytes.drain(writer.batch())).getFramesList())
            .as("seed %d round %d", seed, round)
            .containsExactly(expected);
      }
      assertThat(reader.read(batch, frame)).isFalse();
    }
  }

  static List<Framing> framings() {
    return List.of(
        Framing.RAW,
        new Framing.Line(),
        new Framing.Fixed(12),
        new Framing.LengthPrefixed(2, 3, true, -5),
        new Framing.LengthPrefixed(0, 8, false, Integer.MAX_VALUE),
        new Framing.Varint());
  }

  @ParameterizedTest
  @MethodSource("framings")
  void open_withEachFraming_isReadUnchanged(Framing framing) throws Exception {
    int frameBytesMax = framing == Framing.RAW ? 0 : 65_536;
    var open =
        new Open(
            "0-1",
            "devices",
            "[::1]:9",
            "127.0.0.1:7000",
            1_700_000_000_123L,
            framing,
            frameBytesMax,
            262_144,
            null,
            null,
            null);
    writer.open(77, 3, open);
    readWritten();
    assertThat(frame.control()).isEqualTo(new BridgeControl.OpenControl(open));
    assertThat(frame.connection()).isEqualTo(77);
    assertThat(frame.epoch()).isEqualTo(3);
  }

  @Test
  void open_withDelimiter_isReadUnchanged() throws Exception {
    writer.open(
        1,
        0,
        new Open(
            "0-1",
            "",
            "",
            "",
            0,
            new Framing.Delimiter(new byte[] {13, 0, -1}),
            9,
            0,
            null,
            null,
            null));
    readWritten();
    assertThat(frame.control())
        .isInstanceOfSatisfying(
            BridgeControl.OpenControl.class,
            control ->
                assertThat(control.open().framing())
                    .isInstanceOfSatisfying(
                        Framing.Delimiter.class,
                        framing -> assertThat(framing.delimiter()).containsExactly(13, 0, -1)));
  }

  static List<ProxyFacts> proxyFacts() {
    var tlv = new ProxyFacts.Tlv(0xea, new byte[] {1, 0, -1});
    var tls =
        new ProxyFacts.Tls("TLSv1.3", "TLS_AES_128_GCM_SHA256", true, true, "née", List.of(tlv));
    return List.of(
        new ProxyFacts(1, false, "10.0.0.1:4", "", "", "", "", new byte[0], null, List.of(), false),
        new ProxyFacts(
            2,
            true,
            "[fd00::1]:4",
            "[::1]:9",
            "unix:/a",
            "example.org",
            "h2",
            new byte[] {0, -1},
            tls,
            List.of(tlv, new ProxyFacts.Tlv(0, new byte[0])),
            true));
  }

  @ParameterizedTest
  @MethodSource("proxyFacts")
  void open_behindAProxy_isReadUnchanged(ProxyFacts facts) throws Exception {
    writer.open(1, 0, new Open("0-1", "", "", "", 0, Framing.RAW, 0, 9, facts, null, null));
    readWritten();
    assertThat(frame.control())
        .isInstanceOfSatisfying(
            BridgeControl.OpenControl.class,
            control ->
                assertThat(control.open().proxy()).usingRecursiveComparison().isEqualTo(facts));
  }

  static List<TlsFacts> tlsFacts() {
    var client =
        new TlsFacts.ClientCertificate(
            "CN=née,O=Example",
            List.of("DNS:device.example.com", "URI:spiffe://example.com/device"),
            true,
            "00ff",
            new byte[] {0, -1},
            Instant.ofEpochMilli(1),
            Instant.ofEpochMilli(4_102_444_800_000L));
    return List.of(
        new TlsFacts("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "", "", null),
        new TlsFacts("TLSv1.3", "TLS_AES_128_GCM_SHA256", "example.org", "mqtt", client));
  }

  @ParameterizedTest
  @MethodSource("tlsFacts")
  void open_overTls_isReadUnchanged(TlsFacts facts) throws Exception {
    writer.open(1, 0, new Open("0-1", "", "", "", 0, Framing.RAW, 0, 9, null, facts, null));
    readWritten();
    assertThat(frame.control())
        .isInstanceOfSatisfying(
            BridgeControl.OpenControl.class,
            control ->
                assertThat(control.open().tls()).usingRecursiveComparison().isEqualTo(facts));
  }

  @Test
  void controls_written_areReadUnchanged() throws Exception {
    writer.hello(HELLO);
    assertThat(control()).isEqualTo(new BridgeControl.HelloControl(HELLO));
    writer.halfClose(1, 0, 1L << 40);
    assertThat(control()).isEqualTo(new BridgeControl.HalfClose(1L << 40));
    for (CloseReason reason : CloseReason.values()) {
      writer.close(1, 0, reason);
      assertThat(control()).isEqualTo(new BridgeControl.Close(reason));
    }
    writer.ping(-1);
    assertThat(control()).isEqualTo(new BridgeControl.Ping(-1));
    writer.pushResult(new PushResult(6, PushResult.Outcome.GONE, CloseReason.DONE, 77, 5));
    assertThat(control()).isEqualTo(new BridgeControl.PushResult(6, 2, 1, 77, 5));
  }

  @Test
  void closeReasons_haveTheNamesAndNumbersInProto() {
    for (CloseReason reason : CloseReason.values()) {
      assertThat(dev.waymark.v1.CloseReason.forNumber(reason.wireCode()).name())
          .isEqualTo(reason.name());
    }
    assertThat(dev.waymark.v1.CloseReason.values()).hasSize(CloseReason.values().length + 2);
  }

  @Test
  void release_isRead() throws Exception {
    read(
        dev.waymark.v1.BridgeFrame.newBuilder()
            .setConnection(4)
            .setRelease(Release.getDefaultInstance())
            .build());
    assertThat(frame.control()).isEqualTo(new BridgeControl.Release());
  }

  @Test
  void announcements_written_areReadUnchanged() throws Exception {
    writer.syncing();
    assertThat(control()).isEqualTo(new BridgeControl.Syncing());
    writer.opened(4, "m", "l", "c:1");
    assertThat(control()).isEqualTo(new BridgeControl.Opened("m", "l", "c:1"));
    assertThat(frame.connection()).isEqualTo(4);
    writer.closed(4, CloseReason.CLIENT_RESET);
    assertThat(control()).isEqualTo(new BridgeControl.Closed(CloseReason.CLIENT_RESET));
    assertThat(frame.connection()).isEqualTo(4);
    writer.synced();
    assertThat(control()).isEqualTo(new BridgeControl.Synced());
  }

  @Test
  void outcomes_haveTheNamesAndNumbersInProto() {
    for (PushResult.Outcome outcome : PushResult.Outcome.values()) {
      assertThat(dev.waymark.v1.PushResult.Outcome.forNumber(outcome.wireCode()).name())
          .isEqualTo(outcome.name());
    }
    assertThat(dev.waymark.v1.PushResult.Outcome.values())
        .hasSize(PushResult.Outcome.values().length + 2);
  }

  @Test
  void offsets_beyond63Bits_areReadAsMaximum() throws Exception {
    read(dev.waymark.v1.BridgeFrame.newBuilder().setOffset(-1).setLimit(-1).build());
    assertThat(frame.offset()).isEqualTo(Long.MAX_VALUE);
    assertThat(frame.limit()).isEqualTo(Long.MAX_VALUE);
    read(
        dev.waymark.v1.BridgeFrame.newBuilder()
            .setHalfClose(HalfClose.newBuilder().setOffset(-1))
            .build());
    assertThat(frame.control()).isEqualTo(new BridgeControl.HalfClose(Long.MAX_VALUE));
  }

  private @Nullable BridgeControl control() throws Exception {
    readWritten();
    return frame.control();
  }

  private void readWritten() throws Exception {
    readOnly(Unpooled.wrappedBuffer(Bytes.drain(writer.batch())));
  }

  private void read(dev.waymark.v1.BridgeFrame sent) throws Exception {
    readOnly(
        Unpooled.wrappedBuffer(BridgeBatch.newBuilder().addFrames(sent).build().toByteArray()));
  }

  private void readOnly(ByteBuf batch) throws Exception {
    assertThat(reader.read(batch, frame)).isTrue();
    assertThat(batch.isReadable()).isFalse();
  }

  private void write(dev.waymark.v1.BridgeFrame next) {
    long connection = next.getConnection();
    switch (next.getControlCase()) {
      case CONTROL_NOT_SET -> {
        long limit = next.hasLimit() ? next.getLimit() : BridgeFrame.ABSENT;
        ByteBuf payload = Bytes.direct(next.getPayload().toByteArray());
        writer.data(connection, next.getEpoch(), next.getOffset(), payload, next.getLast(), limit);
      }
      case HALF_CLOSE ->
          writer.halfClose(connection, next.getEpoch(), next.getHalfClose().getOffset());
      case CLOSE ->
          writer.close(
              connection,
              next.getEpoch(),
              CloseReason.ofWireCode(next.getClose().getReasonValue()));
      case PING -> writer.ping(next.getPing().getId());
      case SYNCING -> writer.syncing();
      case SYNCED -> writer.synced();
      case OPENED -> writer.opened(connection, "m", "l", "c:1");
      case CLOSED ->
          writer.closed(connection, CloseReason.ofWireCode(next.getClosed().getReasonValue()));
      case PUSH_RESULT -> writer.pushResult(result(next.getPushResult()));
      default -> throw new AssertionError(next);
    }
  }

  private void write(BridgeFrame next) {
    long connection = next.connection();
    switch (next.control()) {
      case null ->
          writer.data(
              connection,
              next.epoch(),
              next.offset(),
              next.payload().retain(),
              next.last(),
              next.limit());
      case BridgeControl.HalfClose(long offset) ->
          writer.halfClose(connection, next.epoch(), offset);
      case BridgeControl.Close(CloseReason reason) ->
          writer.close(connection, next.epoch(), reason);
      case BridgeControl.Ping(long id) -> writer.ping(id);
      case BridgeControl.Syncing() -> writer.syncing();
      case BridgeControl.Synced() -> writer.synced();
      case BridgeControl.Opened(String mark, String listener, String clientAddress) ->
          writer.opened(connection, mark, listener, clientAddress);
      case BridgeControl.Closed(CloseReason reason) -> writer.closed(connection, reason);
      case BridgeControl.PushResult(
              long id,
              int outcomeCode,
              int reasonCode,
              long closedUnixMs,
              long waitingBytes) ->
          writer.pushResult(result(id, outcomeCode, reasonCode, closedUnixMs, waitingBytes));
      default -> throw new AssertionError(next.control());
    }
  }

  private static PushResult result(dev.waymark.v1.PushResult result) {
    return result(
        result.getId(),
        result.getOutcomeValue(),
        result.getReasonValue(),
        result.getClosedUnixMs(),
        result.getWaitingBytes());
  }

  private static PushResult result(
      long id, int outcomeCode, int reasonCode, long closedUnixMs, long waitingBytes) {
    return new PushResult(
        id,
        PushResult.Outcome.values()[outcomeCode - 1],
        reasonCode == 0 ? null : CloseReason.ofWireCode(reasonCode),
        closedUnixMs,
        waitingBytes);
  }
}
