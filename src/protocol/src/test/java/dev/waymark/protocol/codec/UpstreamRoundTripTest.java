package dev.waymark.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.v1.Push;
import dev.waymark.v1.Released;
import dev.waymark.v1.UpstreamBatch;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The generated classes read what an upstream writes, and a bridge reads what the generated classes
 * write.
 */
class UpstreamRoundTripTest {
  private final UpstreamBatchWriter writer = new UpstreamBatchWriter();
  private final UpstreamFrameReader reader = new UpstreamFrameReader();
  private final UpstreamFrame frame = new UpstreamFrame();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void randomFrames_written_areReadByGeneratedClasses(long seed) throws IOException {
    var random = new SplittableRandom(seed);
    for (int round = 0; round < 200; round++) {
      var expected = UpstreamBatch.newBuilder();
      for (int i = random.nextInt(12); i >= 0; i--) {
        dev.waymark.v1.UpstreamFrame next = RandomFrames.upstream(random);
        expected.addFrames(next);
        write(next);
      }
      assertThat(writer.batch().bytes()).isEqualTo(expected.build().getSerializedSize());
      assertThat(UpstreamBatch.parseFrom(Bytes.drain(writer.batch())))
          .as("seed %d round %d", seed, round)
          .isEqualTo(expected.build());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13, 14, 15, 16, 17, 18})
  void randomFrames_fromGeneratedClasses_areRead(long seed) throws Exception {
    var random = new SplittableRandom(seed);
    for (int round = 0; round < 200; round++) {
      var sent = UpstreamBatch.newBuilder();
      for (int i = random.nextInt(12); i > 0; i--) {
        sent.addFrames(RandomFrames.upstream(random));
      }
      ByteBuf batch = Bytes.direct(sent.build().toByteArray());
      for (dev.waymark.v1.UpstreamFrame expected : sent.getFramesList()) {
        assertThat(reader.read(batch, frame)).isTrue();
        assertThat(UpstreamFrames.toProto(frame)).isEqualTo(expected);
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
      var sent = UpstreamBatch.newBuilder();
      for (int i = random.nextInt(12); i > 0; i--) {
        sent.addFrames(RandomFrames.upstream(random));
      }
      byte[] loose = encoding.encode(sent.build());
      ByteBuf batch = Unpooled.wrappedBuffer(loose);
      for (dev.waymark.v1.UpstreamFrame expected : sent.getFramesList()) {
        assertThat(reader.read(batch, frame)).isTrue();
        assertThat(UpstreamFrames.toProto(frame))
            .as("seed %d round %d", seed, round)
            .isEqualTo(expected);
      }
      assertThat(reader.read(batch, frame)).isFalse();
    }
  }

  @Test
  void emptyFrame_isReadWithDefaults() throws Exception {
    read(dev.waymark.v1.UpstreamFrame.getDefaultInstance());
    assertThat(frame.consumed()).isEqualTo(UpstreamFrame.ABSENT);
    assertThat(frame.context()).isNull();
    assertThat(frame.control()).isNull();
    assertThat(frame.payload()).isSameAs(Unpooled.EMPTY_BUFFER);
  }

  @Test
  void zeroAndEmpty_present_areNotAbsent() throws Exception {
    writer.data(0, 0, Unpooled.EMPTY_BUFFER, 0, new byte[0], false, false, 0);
    assertThat(reader.read(Unpooled.wrappedBuffer(Bytes.drain(writer.batch())), frame)).isTrue();
    assertThat(frame.consumed()).isZero();
    assertThat(frame.context()).isEmpty();
  }

  @Test
  void rareControls_areRead() throws Exception {
    read(
        dev.waymark.v1.UpstreamFrame.newBuilder()
            .setReleased(Released.getDefaultInstance())
            .build());
    assertThat(frame.control()).isEqualTo(new UpstreamControl.Released());
  }

  @Test
  void push_written_isReadUnchanged() throws Exception {
    Mark mark = new Mark(-7, 99);
    writer.push(9, mark.toString(), Unpooled.wrappedBuffer(new byte[] {1, 2}), 0xffff_ffffL);
    assertThat(reader.read(Unpooled.wrappedBuffer(Bytes.drain(writer.batch())), frame)).isTrue();
    assertThat(frame.control())
        .isInstanceOfSatisfying(
            UpstreamControl.Push.class,
            push -> {
              assertThat(push.id()).isEqualTo(9);
              assertThat(push.mark()).isEqualTo(mark);
              assertThat(push.payload()).containsExactly(1, 2);
              assertThat(push.epoch()).isEqualTo(0xffff_ffffL);
            });
  }

  @Test
  void push_withInvalidMark_isReadWithoutMark() throws Exception {
    for (String text : List.of("", "m", "g".repeat(13) + "-" + "0".repeat(9), "é".repeat(23))) {
      var push = Push.newBuilder().setMark(text).setPayload(ByteString.copyFromUtf8("hello"));
      read(dev.waymark.v1.UpstreamFrame.newBuilder().setPush(push).build());
      assertThat(frame.control())
          .isInstanceOfSatisfying(
              UpstreamControl.Push.class,
              read -> {
                assertThat(read.mark()).isNull();
                assertThat(read.epoch()).isEqualTo(UpstreamFrame.ABSENT);
              });
    }
  }

  @Test
  void consumed_beyond63Bits_isReadAsMaximum() throws Exception {
    read(dev.waymark.v1.UpstreamFrame.newBuilder().setConsumed(-1).build());
    assertThat(frame.consumed()).isEqualTo(Long.MAX_VALUE);
  }

  private void read(dev.waymark.v1.UpstreamFrame sent) throws Exception {
    ByteBuf batch =
        Unpooled.wrappedBuffer(UpstreamBatch.newBuilder().addFrames(sent).build().toByteArray());
    assertThat(reader.read(batch, frame)).isTrue();
    assertThat(reader.read(batch, new UpstreamFrame())).isFalse();
  }

  private void write(dev.waymark.v1.UpstreamFrame next) {
    switch (next.getControlCase()) {
      case CONTROL_NOT_SET ->
          writer.data(
              next.getConnection(),
              next.getEpoch(),
              Bytes.direct(next.getPayload().toByteArray()),
              next.hasConsumed() ? next.getConsumed() : UpstreamFrame.ABSENT,
              next.hasContext() ? next.getContext().toByteArray() : null,
              next.getMore(),
              next.getHalfClose(),
              next.getCloseValue());
      case SETTINGS ->
          writer.settings(
              next.getSettings().getWindowBytes(),
              next.getSettings().getAnnouncements(),
              next.getSettings().getPinned());
      case DRAINING -> writer.draining();
      case LOAD -> writer.load(next.getLoad().getUtilisation(), next.getLoad().getCapacity());
      case PONG -> writer.pong(next.getPong().getId());
      case RELEASED ->
          writer.released(
              next.getConnection(),
              next.getEpoch(),
              next.hasConsumed() ? next.getConsumed() : UpstreamFrame.ABSENT);
      case PUSH ->
          writer.push(
              next.getPush().getId(),
              next.getPush().getMark(),
              Unpooled.wrappedBuffer(next.getPush().getPayload().toByteArray()),
              next.getPush().hasEpoch()
                  ? Integer.toUnsignedLong(next.getPush().getEpoch())
                  : UpstreamFrame.ABSENT);
      default -> throw new AssertionError(next);
    }
  }
}
