package dev.waymark.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import dev.waymark.protocol.BridgeControl;
import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.SizeLimits;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.v1.BridgeBatch;
import dev.waymark.v1.Framing;
import dev.waymark.v1.Hello;
import dev.waymark.v1.Open;
import dev.waymark.v1.Push;
import dev.waymark.v1.UpstreamBatch;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever a peer sends, the readers either read it or throw MalformedFrameException, and retain
 * nothing.
 */
class HostileBytesTest {
  private static final int INPUTS_PER_SEED = 4_000;

  /** Reads a whole batch. */
  private interface BatchReader {
    int frames(ByteBuf batch) throws MalformedFrameException;
  }

  private static int bridgeFrames(ByteBuf batch) throws MalformedFrameException {
    var reader = new BridgeFrameReader();
    var frame = new BridgeFrame();
    int frames = 0;
    while (reader.read(batch, frame)) {
      frames++;
    }
    return frames;
  }

  private static int upstreamFrames(ByteBuf batch) throws MalformedFrameException {
    var reader = new UpstreamFrameReader();
    var frame = new UpstreamFrame();
    int frames = 0;
    while (reader.read(batch, frame)) {
      frames++;
    }
    return frames;
  }

  static Stream<Arguments> malformed() {
    return Stream.of(
        row("length 2^31", "0a8080808008", MalformedFrameException.TRUNCATED),
        row("length 2^63", "0a80808080808080808001", MalformedFrameException.TRUNCATED),
        row("length 2^64 - 1", "0affffffffffffffffff01", MalformedFrameException.TRUNCATED),
        row("length without content", "0a05", MalformedFrameException.TRUNCATED),
        row("tag without a length", "0a", MalformedFrameException.TRUNCATED),
        row("batch ends in a varint", "0a80", MalformedFrameException.TRUNCATED),
        row(
            "frame ends in a varint, the batch goes on",
            "0a0208800a00",
            MalformedFrameException.TRUNCATED),
        row("payload beyond the frame", "0a031a0261", MalformedFrameException.TRUNCATED),
        row("payload of 2^31", "0a061a8080808008", MalformedFrameException.TRUNCATED),
        row("payload of 2^63", "0a0b1a80808080808080808001", MalformedFrameException.TRUNCATED),
        row(
            "varint of 11 bytes",
            "0a0c08ffffffffffffffffffff01",
            MalformedFrameException.VARINT_TOO_LONG),
        row("field 0", "0a020000", MalformedFrameException.TAG_INVALID),
        row("batch field 0", "0200", MalformedFrameException.TAG_INVALID),
        row("tag beyond 32 bits", "0a0780808080800100", MalformedFrameException.TAG_INVALID),
        row("frames as varint", "0801", MalformedFrameException.WIRE_TYPE_MISMATCH),
        row("connection as bytes", "0a020a00", MalformedFrameException.WIRE_TYPE_MISMATCH),
        row("payload as varint", "0a021801", MalformedFrameException.WIRE_TYPE_MISMATCH),
        row("control as varint", "0a025001", MalformedFrameException.WIRE_TYPE_MISMATCH),
        row("group without an end", "0a02f307", MalformedFrameException.TRUNCATED),
        row(
            "group that ends in the next frame",
            "0a02f3070a02f407",
            MalformedFrameException.TRUNCATED),
        row(
            "end of a group without a start",
            "0a02f40700",
            MalformedFrameException.WIRE_TYPE_INVALID),
        row("end of another group", "0a04f307fc07", MalformedFrameException.WIRE_TYPE_INVALID),
        row("end of a group in the batch", "1c", MalformedFrameException.WIRE_TYPE_INVALID),
        row("wire type 7 in a group", "0a04f307f707", MalformedFrameException.WIRE_TYPE_INVALID),
        row("field 0 in a group", "0a03f30700", MalformedFrameException.TAG_INVALID),
        row("control as a group", "0a025354", MalformedFrameException.WIRE_TYPE_MISMATCH),
        row("frames as a group", "0b0c", MalformedFrameException.WIRE_TYPE_MISMATCH),
        row("wire type 7", "0a02f70700", MalformedFrameException.WIRE_TYPE_INVALID),
        row("unknown fixed64 truncated", "0a03f1070000", MalformedFrameException.TRUNCATED),
        row("unknown fixed32 truncated", "0a03f507000000", MalformedFrameException.TRUNCATED),
        row("control is rubbish", "0a054a030801ff", MalformedFrameException.CONTROL_INVALID));
  }

  private static Arguments row(String description, String hex, MalformedFrameException cause) {
    return Arguments.of(description, hex, cause);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("malformed")
  void batch_malformed_isRefusedByBothReaders(
      String description, String hex, MalformedFrameException cause) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    assertThatThrownBy(() -> upstreamFrames(Unpooled.wrappedBuffer(bytes))).isSameAs(cause);
    assertThatThrownBy(() -> bridgeFrames(Unpooled.wrappedBuffer(bytes))).isSameAs(cause);
    assertThat(cause).hasMessageMatching("an? .+").hasNoCause();
    assertThat(cause.getStackTrace()).isEmpty();
  }

  @Test
  void unknownFields_atBothLevels_areSkipped() throws MalformedFrameException {
    var unknown =
        UnknownFieldSet.newBuilder()
            .addField(
                500,
                UnknownFieldSet.Field.newBuilder()
                    .addVarint(-1)
                    .addFixed32(1)
                    .addFixed64(2)
                    .build())
            .addField(
                501,
                UnknownFieldSet.Field.newBuilder()
                    .addLengthDelimited(ByteString.copyFromUtf8("new"))
                    .build())
            .build();
    var frame = dev.waymark.v1.BridgeFrame.newBuilder().setConnection(8).setUnknownFields(unknown);
    byte[] bridge =
        BridgeBatch.newBuilder().setUnknownFields(unknown).addFrames(frame).build().toByteArray();
    byte[] twice = Unpooled.copiedBuffer(bridge, bridge).array();
    assertThat(bridgeFrames(Unpooled.wrappedBuffer(twice))).isEqualTo(2);
    assertThat(upstreamFrames(Unpooled.wrappedBuffer(twice))).isEqualTo(2);
  }

  @Test
  void unknownGroups_atBothLevels_areSkipped() throws MalformedFrameException {
    var group =
        UnknownFieldSet.newBuilder()
            .addField(
                500, groupOf(groupOf(UnknownFieldSet.Field.newBuilder().addVarint(7).build())))
            .build();
    var frame = dev.waymark.v1.BridgeFrame.newBuilder().setConnection(8).setUnknownFields(group);
    byte[] batch =
        BridgeBatch.newBuilder().setUnknownFields(group).addFrames(frame).build().toByteArray();
    assertThat(bridgeFrames(Unpooled.wrappedBuffer(batch))).isEqualTo(1);
    assertThat(upstreamFrames(Unpooled.wrappedBuffer(batch))).isEqualTo(1);
  }

  /** The depth limit is that of the generated parsers. */
  @Test
  void unknownGroups_nestedDeeply_areSkippedUpToALimit() throws Exception {
    byte[] deepest = nestedGroups(FieldReader.GROUP_DEPTH_MAX);
    assertThat(BridgeBatch.parseFrom(deepest).getFramesCount()).isZero();
    assertThat(bridgeFrames(Unpooled.wrappedBuffer(deepest))).isZero();
    assertThat(upstreamFrames(Unpooled.wrappedBuffer(deepest))).isZero();
    byte[] tooDeep = nestedGroups(FieldReader.GROUP_DEPTH_MAX + 1);
    assertThatThrownBy(() -> BridgeBatch.parseFrom(tooDeep))
        .isInstanceOf(InvalidProtocolBufferException.class);
    assertThatThrownBy(() -> bridgeFrames(Unpooled.wrappedBuffer(tooDeep)))
        .isSameAs(MalformedFrameException.GROUP_TOO_DEEP);
    assertThatThrownBy(() -> upstreamFrames(Unpooled.wrappedBuffer(tooDeep)))
        .isSameAs(MalformedFrameException.GROUP_TOO_DEEP);
  }

  private static byte[] nestedGroups(int depth) {
    byte[] bytes = new byte[2 * depth];
    Arrays.fill(bytes, 0, depth, (byte) (9 << 3 | 3));
    Arrays.fill(bytes, depth, 2 * depth, (byte) (9 << 3 | 4));
    return bytes;
  }

  private static UnknownFieldSet.Field groupOf(UnknownFieldSet.Field field) {
    var inner = UnknownFieldSet.newBuilder().addField(501, field).build();
    return UnknownFieldSet.Field.newBuilder().addGroup(inner).build();
  }

  @Test
  void negativeCloseCode_inTenBytes_isAnUnknownCode() throws MalformedFrameException {
    var frame = new UpstreamFrame();
    ByteBuf batch =
        Unpooled.wrappedBuffer(HexFormat.of().parseHex("0a0b" + "40ffffffffffffffffff01"));
    assertThat(new UpstreamFrameReader().read(batch, frame)).isTrue();
    assertThat(frame.close()).isEqualTo(-1);
    assertThat(CloseReason.ofWireCode(frame.close())).isEqualTo(CloseReason.PROTOCOL);
  }

  /** Settings with a window, then a Pong, then Settings in two parts. */
  @Test
  void control_inParts_isMergedAndTheLastMemberWins() throws MalformedFrameException {
    var frame = new UpstreamFrame();
    ByteBuf batch =
        Unpooled.wrappedBuffer(
            HexFormat.of().parseHex("0a10" + "4a021807" + "72020801" + "4a020801" + "4a022001"));
    assertThat(new UpstreamFrameReader().read(batch, frame)).isTrue();
    assertThat(frame.control()).isEqualTo(new UpstreamControl.Settings(1, 0, true, false));
  }

  /** An Open whose framing is complete only with its second part. */
  @Test
  void open_inParts_isReadWhenComplete() throws MalformedFrameException {
    Framing kind = Framing.newBuilder().setKind(Framing.Kind.FIXED).build();
    Framing size = Framing.newBuilder().setSize(12).build();
    ByteString halves =
        dev.waymark.v1.BridgeFrame.newBuilder()
            .setOpen(Open.newBuilder().setMark("m").setFraming(kind))
            .build()
            .toByteString()
            .concat(
                dev.waymark.v1.BridgeFrame.newBuilder()
                    .setOpen(Open.newBuilder().setFraming(size))
                    .build()
                    .toByteString());
    ByteBuf batch = Unpooled.buffer().writeByte(0x0a).writeByte(halves.size());
    batch.writeBytes(halves.toByteArray());
    var frame = new BridgeFrame();
    assertThat(new BridgeFrameReader().read(batch, frame)).isTrue();
    assertThat(frame.control())
        .isInstanceOfSatisfying(
            BridgeControl.OpenControl.class,
            read -> {
              assertThat(read.open().mark()).isEqualTo("m");
              assertThat(read.open().framing())
                  .isEqualTo(new dev.waymark.protocol.Framing.Fixed(12));
            });
  }

  @Test
  void field_repeated_lastValueWins() throws MalformedFrameException {
    var frame = new UpstreamFrame();
    byte[] bytes =
        HexFormat.of().parseHex("0a0e" + "4003" + "1a0161" + "0805" + "1a0162" + "0806" + "4002");
    ByteBuf batch = Unpooled.wrappedBuffer(bytes);
    assertThat(new UpstreamFrameReader().read(batch, frame)).isTrue();
    assertThat(frame.connection()).isEqualTo(6);
    assertThat(frame.close()).isEqualTo(2);
    assertThat(frame.payload().getByte(0)).isEqualTo((byte) 'b');
  }

  @Test
  void unusedField7_inABridgeFrame_isSkipped() throws MalformedFrameException {
    assertThat(bridgeFrames(Unpooled.wrappedBuffer(HexFormat.of().parseHex("0a023801"))))
        .isEqualTo(1);
  }

  @Test
  void payloadAndContext_tooLong_areRefused() {
    var payload = ByteString.copyFrom(new byte[SizeLimits.PAYLOAD_BYTES_MAX + 1]);
    var context = ByteString.copyFrom(new byte[SizeLimits.CONTEXT_BYTES_MAX + 1]);
    assertUpstreamRefused(
        dev.waymark.v1.UpstreamFrame.newBuilder().setPayload(payload),
        MalformedFrameException.PAYLOAD_TOO_LONG);
    assertUpstreamRefused(
        dev.waymark.v1.UpstreamFrame.newBuilder().setContext(context),
        MalformedFrameException.CONTEXT_TOO_LONG);
    assertBridgeRefused(
        dev.waymark.v1.BridgeFrame.newBuilder().setPayload(payload),
        MalformedFrameException.PAYLOAD_TOO_LONG);
    assertUpstreamRefused(
        dev.waymark.v1.UpstreamFrame.newBuilder().setPush(Push.newBuilder().setPayload(payload)),
        MalformedFrameException.PAYLOAD_TOO_LONG);
  }

  @Test
  void open_upToItsLimit_isRead() throws MalformedFrameException {
    var largest = Open.newBuilder().setMark("m".repeat(SizeLimits.OPEN_BYTES_MAX - 3)).build();
    assertThat(largest.getSerializedSize()).isEqualTo(SizeLimits.OPEN_BYTES_MAX);
    var frame = dev.waymark.v1.BridgeFrame.newBuilder().setOpen(largest);
    byte[] batch = BridgeBatch.newBuilder().addFrames(frame).build().toByteArray();
    assertThat(bridgeFrames(Unpooled.wrappedBuffer(batch))).isEqualTo(1);
    assertBridgeRefused(
        dev.waymark.v1.BridgeFrame.newBuilder()
            .setOpen(largest.toBuilder().setMark(largest.getMark() + "m")),
        MalformedFrameException.OPEN_TOO_LONG);
  }

  @Test
  void framing_invalid_isRefused() {
    var invalid =
        Stream.of(
            Framing.newBuilder().setKind(Framing.Kind.FIXED),
            Framing.newBuilder().setKind(Framing.Kind.FIXED).setSize(-1),
            Framing.newBuilder().setKind(Framing.Kind.DELIMITER),
            Framing.newBuilder()
                .setKind(Framing.Kind.DELIMITER)
                .setDelimiter(ByteString.copyFrom(new byte[17])),
            Framing.newBuilder().setKind(Framing.Kind.LENGTH_PREFIXED).setLengthBytes(5),
            Framing.newBuilder()
                .setKind(Framing.Kind.LENGTH_PREFIXED)
                .setLengthBytes(4)
                .setLengthOffset(-1),
            Framing.newBuilder().setKind(Framing.Kind.LINE).setFrameBytesMax(-1));
    invalid.forEach(framing ->
        assertBridgeRefused(
            dev.waymark.v1.BridgeFrame.newBuilder().setOpen(Open.newBuilder().setFraming(framing)),
            MalformedFrameException.OPEN_INVALID));
  }

  @Test
  void controls_nestedDeeply_areRefused() {
    var nested = UnknownFieldSet.getDefaultInstance();
    for (int depth = 0; depth < 300; depth++) {
      nested =
          UnknownFieldSet.newBuilder()
              .addField(900, UnknownFieldSet.Field.newBuilder().addGroup(nested).build())
              .build();
    }
    assertBridgeRefused(
        dev.waymark.v1.BridgeFrame.newBuilder()
            .setHello(Hello.newBuilder().setUnknownFields(nested)),
        MalformedFrameException.CONTROL_INVALID);
    assertUpstreamRefused(
        dev.waymark.v1.UpstreamFrame.newBuilder()
            .setPush(Push.newBuilder().setUnknownFields(nested)),
        MalformedFrameException.CONTROL_INVALID);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void brokenBatches_areReadOrRefusedAndNeverRetained(long seed) {
    var random = new SplittableRandom(seed);
    int refused = 0;
    for (int i = 0; i < INPUTS_PER_SEED; i++) {
      byte[] bytes = broken(random);
      refused +=
          refused(HostileBytesTest::bridgeFrames, bytes, seed, i)
              + refused(HostileBytesTest::upstreamFrames, bytes, seed, i);
    }
    assertThat(refused)
        .as("inputs that were really malformed")
        .isBetween(INPUTS_PER_SEED / 2, 2 * INPUTS_PER_SEED - 1);
  }

  private static int refused(BatchReader reading, byte[] bytes, long seed, int input) {
    ByteBuf batch = Bytes.direct(bytes);
    try {
      reading.frames(batch);
      return 0;
    } catch (MalformedFrameException e) {
      return 1;
    } catch (RuntimeException | Error e) {
      throw new AssertionError(
          "seed " + seed + " input " + input + ": " + HexFormat.of().formatHex(bytes), e);
    } finally {
      batch.release();
      assertThat(batch.refCnt()).isZero();
    }
  }

  private static byte[] broken(SplittableRandom random) {
    byte[] bytes =
        switch (random.nextInt(3)) {
          case 0 -> rubbish(random, random.nextInt(64));
          case 1 -> nestedRubbish(random);
          default -> wellFormed(random);
        };
    if (random.nextInt(3) == 0) {
      bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
    }
    for (int flips = random.nextInt(4); flips > 0 && bytes.length > 0; flips--) {
      bytes[random.nextInt(Math.min(bytes.length, 64))] ^= (byte) (1 << random.nextInt(8));
    }
    return bytes;
  }

  private static byte[] rubbish(SplittableRandom random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  /**
   * A frame with valid lengths around any length-delimited field, perhaps a control, that contains
   * rubbish.
   */
  private static byte[] nestedRubbish(SplittableRandom random) {
    byte[] inner = rubbish(random, random.nextInt(100));
    ByteBuf bytes = Unpooled.buffer();
    bytes.writeByte(0x0a).writeByte(inner.length + (inner.length < 128 ? 2 : 3));
    int field = 1 + random.nextInt(15); // one-byte tags
    bytes.writeByte(field << 3 | 2).writeByte(inner.length).writeBytes(inner);
    return ByteBufUtil.getBytes(bytes);
  }

  private static byte[] wellFormed(SplittableRandom random) {
    if (random.nextBoolean()) {
      return BridgeBatch.newBuilder()
          .addFrames(RandomFrames.bridge(random))
          .addFrames(RandomFrames.bridge(random))
          .build()
          .toByteArray();
    }
    return UpstreamBatch.newBuilder()
        .addFrames(RandomFrames.upstream(random))
        .addFrames(RandomFrames.upstream(random))
        .build()
        .toByteArray();
  }

  private static void assertBridgeRefused(
      dev.waymark.v1.BridgeFrame.Builder frame, MalformedFrameException cause) {
    byte[] bytes = BridgeBatch.newBuilder().addFrames(frame).build().toByteArray();
    assertThatThrownBy(() -> bridgeFrames(Unpooled.wrappedBuffer(bytes))).isSameAs(cause);
  }

  private static void assertUpstreamRefused(
      dev.waymark.v1.UpstreamFrame.Builder frame, MalformedFrameException cause) {
    byte[] bytes = UpstreamBatch.newBuilder().addFrames(frame).build().toByteArray();
    assertThatThrownBy(() -> upstreamFrames(Unpooled.wrappedBuffer(bytes))).isSameAs(cause);
  }
}
