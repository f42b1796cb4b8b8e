package dev.waymark.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.SizeLimits;
import dev.waymark.v1.BridgeBatch;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutboundBatchTest {
  private final BridgeBatchWriter writer = new BridgeBatchWriter();

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 8191, 8192, 65536})
  void drain_payloadOfAnySize_writesItAndReleasesIt(int payloadBytes) throws IOException {
    ByteBuf payload = Bytes.direct(payloadBytes);
    byte[] expected = Bytes.copyOf(payload);
    writer.data(7, 1, 300, payload, true, 9);
    assertThat(payload.refCnt()).isEqualTo(payloadBytes >= 8192 ? 1 : 0);
    int bytes = writer.batch().bytes();

    byte[] sent = Bytes.drain(writer.batch());

    assertThat(sent).hasSize(bytes);
    assertThat(BridgeBatch.parseFrom(sent).getFrames(0).getPayload().toByteArray())
        .isEqualTo(expected);
    assertThat(payload.refCnt()).isZero();
    assertThat(writer.batch().isEmpty()).isTrue();
    assertThat(writer.batch().bytes()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 8191, 8192, 65536})
  void takenMessage_isPrefixedAndOwnsItsPayloads(int payloadBytes) throws IOException {
    ByteBuf payload = Bytes.direct(payloadBytes);
    byte[] expected = Bytes.copyOf(payload);
    writer.ping(1);
    writer.data(7, 1, 300, payload, true, 9);
    writer.ping(2);
    int bytes = writer.batch().bytes();

    ByteBuf message = writer.batch().takeMessage(ByteBufAllocator.DEFAULT);

    assertThat(message.readByte()).as("compressed").isZero();
    assertThat(message.readInt()).isEqualTo(bytes).isEqualTo(message.readableBytes());
    var sent = BridgeBatch.parseFrom(Bytes.copyOf(message));
    assertThat(sent.getFrames(0).getPing().getId()).isEqualTo(1);
    assertThat(sent.getFrames(1).getPayload().toByteArray()).isEqualTo(expected);
    assertThat(sent.getFrames(2).getPing().getId()).isEqualTo(2);
    message.release();
    assertThat(payload.refCnt()).isZero();
    assertThat(writer.batch().isEmpty()).isTrue();
    writer.ping(3);
    assertThat(writer.batch().frames()).isEqualTo(1);
  }

  /**
   * Netty's HTTP/2 codec appends messages to the last one that it could not send completely, whose
   * first part the kernel may still be reading.
   */
  @Test
  void takenMessage_appendedTo_keepsItsPayloadsWhereTheyAre() {
    ByteBuf payload = Bytes.direct(9000);
    writer.data(7, 1, 300, payload, true, 9);
    var message = (CompositeByteBuf) writer.batch().takeMessage(ByteBufAllocator.DEFAULT);
    for (int i = 0; i < 100; i++) {
      message.addComponent(true, Bytes.direct(10));
    }
    assertThat(payload.refCnt()).isEqualTo(1);
    message.release();
    assertThat(payload.refCnt()).isZero();
  }

  @Test
  void batch_afterDrain_canBeRefilled() throws IOException {
    writer.ping(1);
    Bytes.drain(writer.batch());
    writer.ping(2);
    assertThat(writer.batch().frames()).isEqualTo(1);
    var sent = BridgeBatch.parseFrom(Bytes.drain(writer.batch()));
    assertThat(sent.getFramesList())
        .singleElement()
        .satisfies(frame -> assertThat(frame.getPing().getId()).isEqualTo(2));
  }

  @Test
  void message_closedWithoutDrain_releasesTheBatch() throws IOException {
    ByteBuf payload = Bytes.direct(9000);
    writer.data(1, 0, 0, payload, false, BridgeFrame.ABSENT);
    writer.batch().toMessage().close();
    assertThat(payload.refCnt()).isZero();
    assertThat(writer.batch().isEmpty()).isTrue();
  }

  @Test
  void message_closedAfterDrain_leavesNewerFrames() throws IOException {
    writer.ping(1);
    InputStream message = writer.batch().toMessage();
    ((Drainable) message).drainTo(OutputStream.nullOutputStream());
    writer.ping(2);
    message.close();
    assertThat(writer.batch().frames()).isEqualTo(1);
  }

  @Test
  void message_drainedAfterItsBatchWasReleased_isEmptyAndLeavesNewerFrames() throws IOException {
    writer.ping(1);
    InputStream message = writer.batch().toMessage();
    writer.batch().release();
    writer.ping(2);
    assertThat(message.available()).isZero();
    assertThat(((Drainable) message).drainTo(OutputStream.nullOutputStream())).isZero();
    assertThat(message.read()).isEqualTo(-1);
    message.close();
    assertThat(writer.batch().frames()).isEqualTo(1);
  }

  @Test
  void drain_targetFails_releasesTheBatch() {
    ByteBuf payload = Bytes.direct(9000);
    writer.data(1, 0, 0, payload, false, BridgeFrame.ABSENT);
    OutputStream broken = OutputStream.nullOutputStream();
    assertThatThrownBy(
            () -> {
              broken.close();
              ((Drainable) writer.batch().toMessage()).drainTo(broken);
            })
        .isInstanceOf(IOException.class);
    assertThat(payload.refCnt()).isZero();
  }

  @Test
  void message_read_hasTheSameBytesAsWhenDrained() throws IOException {
    writer.data(3, 2, 5, Bytes.direct(20_000), false, 77);
    writer.limit(3, 2, 78);
    InputStream message = writer.batch().toMessage();
    int bytes = message.available();
    assertThat(message).isInstanceOf(KnownLength.class);
    byte[] sent = message.readAllBytes();
    assertThat(sent).hasSize(bytes);
    assertThat(BridgeBatch.parseFrom(sent).getFramesCount()).isEqualTo(2);
    assertThat(message.available()).isZero();
    assertThat(writer.batch().isEmpty()).isTrue();
  }

  @Test
  void fill_beforeTheMessageIsDrained_throwsAndReleasesThePayload() {
    writer.ping(1);
    writer.batch().toMessage();
    ByteBuf payload = Bytes.direct(10);
    assertThatThrownBy(() -> writer.data(1, 0, 0, payload, false, BridgeFrame.ABSENT))
        .isInstanceOf(IllegalStateException.class);
    assertThat(payload.refCnt()).isZero();
    writer.batch().release();
  }

  @Test
  void fill_beyondTheLargestBatch_throwsAndReleasesThePayload() {
    int frames = SizeLimits.BATCH_BYTES_MAX / SizeLimits.PAYLOAD_BYTES_MAX - 1;
    for (int i = 0; i < frames; i++) {
      writer.data(1, 0, 0, Bytes.direct(SizeLimits.PAYLOAD_BYTES_MAX), false, BridgeFrame.ABSENT);
    }
    ByteBuf payload = Bytes.direct(SizeLimits.PAYLOAD_BYTES_MAX);
    assertThatThrownBy(() -> writer.data(1, 0, 0, payload, false, BridgeFrame.ABSENT))
        .isInstanceOf(IllegalStateException.class);
    assertThat(payload.refCnt()).isZero();
    assertThat(writer.batch().frames()).isEqualTo(frames);
    writer.batch().release();
  }

  @Test
  void release_ofRetainedPayloads_releasesEachOnce() {
    ByteBuf payload = Bytes.direct(8192).retain();
    writer.data(1, 0, 0, payload, false, BridgeFrame.ABSENT);
    writer.batch().release();
    writer.batch().release();
    assertThat(payload.refCnt()).isEqualTo(1);
    payload.release();
  }

  @Test
  void message_readAfterSend_keepsItsBytesWhileTheBatchIsRefilled() throws IOException {
    ByteBuf payload = Bytes.direct(9000);
    writer.data(1, 0, 0, payload, false, BridgeFrame.ABSENT);
    InputStream first = writer.batch().toMessage();
    writer.batch().afterSend();
    assertThat(payload.refCnt()).isZero();
    writer.ping(2);
    byte[] second = Bytes.drain(writer.batch());
    assertThat(first.available()).isGreaterThan(9000);
    assertThat(BridgeBatch.parseFrom(first).getFrames(0).getPayload().toByteArray())
        .isEqualTo(Bytes.ofLength(9000));
    assertThat(BridgeBatch.parseFrom(second).getFrames(0).getPing().getId()).isEqualTo(2);
  }

  @Test
  void message_drainedAfterSend_keepsItsBytes() throws IOException {
    writer.ping(1);
    InputStream message = writer.batch().toMessage();
    writer.batch().afterSend();
    var target = new ByteArrayOutputStream();
    int bytes = message.available();
    assertThat(((Drainable) message).drainTo(target)).isEqualTo(bytes).isEqualTo(target.size());
    assertThat(BridgeBatch.parseFrom(target.toByteArray()).getFramesCount()).isEqualTo(1);
    message.close();
    assertThat(message.available()).isZero();
  }

  @Test
  void afterSend_ifTheCallTookNothing_dropsTheContent() {
    ByteBuf payload = Bytes.direct(9000);
    writer.data(1, 0, 0, payload, false, BridgeFrame.ABSENT);
    writer.batch().afterSend();
    assertThat(payload.refCnt()).isZero();
    assertThat(writer.batch().isEmpty()).isTrue();
  }

  @Test
  void largeArray_afterSending_isDroppedAndGrowsAgain() throws IOException {
    var target = new ByteArrayOutputStream();
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < 130; i++) {
        writer.data(i, 0, 0, Bytes.direct(8000), false, BridgeFrame.ABSENT);
      }
      target.reset();
      target.write(Bytes.drain(writer.batch()));
      assertThat(BridgeBatch.parseFrom(target.toByteArray()).getFramesCount()).isEqualTo(130);
    }
  }
}
