package dev.waymark.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.protocol.SizeLimits;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.v1.UpstreamBatch;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BatchStreamTest {
  /** Without leak detection, which records every access. */
  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);

  private final BatchStream stream = new BatchStream(allocator);
  private final UpstreamFrameReader reader = new UpstreamFrameReader();
  private final UpstreamFrame frame = new UpstreamFrame();

  @AfterEach
  void nothingIsKept() {
    stream.release();
    assertThat(allocator.metric().usedDirectMemory()).isZero();
  }

  /** The same batches, cut into DATA in many ways, give the same frames. */
  @ParameterizedTest
  @CsvSource({"1, 1, 1", "2, 3, 2", "3, 40, 10", "4, 1000, 20", "5, 16384, 20", "6, 100000, 20"})
  void batches_cutAnywhere_areReadUnchanged(long seed, int cutBytesMax, int rounds)
      throws Exception {
    var random = new SplittableRandom(seed);
    var encoding = new LooseEncoding(seed);
    for (int round = 0; round < rounds; round++) {
      var sent = new ByteArrayOutputStream();
      List<dev.waymark.v1.UpstreamFrame> expected = new ArrayList<>();
      for (int batches = random.nextInt(4); batches >= 0; batches--) {
        var batch = UpstreamBatch.newBuilder();
        for (int frames = random.nextInt(8); frames > 0; frames--) {
          batch.addFrames(RandomFrames.upstream(random));
        }
        expected.addAll(batch.getFramesList());
        boolean isLoose = random.nextBoolean();
        sent.write(message(isLoose ? encoding.encode(batch.build()) : batch.build().toByteArray()));
      }
      List<dev.waymark.v1.UpstreamFrame> read = new ArrayList<>();
      byte[] bytes = sent.toByteArray();
      for (int from = 0; from < bytes.length; ) {
        int to = Math.min(bytes.length, from + 1 + random.nextInt(cutBytesMax));
        read.addAll(read(bytes, from, to));
        from = to;
      }
      assertThat(read).as("seed %d round %d", seed, round).isEqualTo(expected);
    }
  }

  @Test
  void completeFields_areNotCopied() throws Exception {
    var batch =
        UpstreamBatch.newBuilder().addFrames(RandomFrames.upstream(new SplittableRandom(7)));
    ByteBuf data = Bytes.direct(message(batch.build().toByteArray()));
    stream.begin(data);

    assertThat(stream.next())
        .extracting(fields -> fields.memoryAddress())
        .isEqualTo(data.memoryAddress() + BatchStream.PREFIX_BYTES);
    assertThat(stream.next()).isNull();
    data.release();
  }

  @Test
  void message_withoutBytes_isAnEmptyBatch() throws Exception {
    assertThat(read(new byte[3 * BatchStream.PREFIX_BYTES])).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "1 0", "2 ff"})
  void compressedMessage_isMalformed(String bytes) {
    assertMalformed("a compressed batch, which was not asked for", bytes);
  }

  @Test
  void message_largerThanABatch_isMalformed() throws Exception {
    byte[] prefix = prefix(SizeLimits.BATCH_BYTES_MAX + 1);
    assertThatThrownBy(() -> freshRead(prefix)).isSameAs(MalformedFrameException.BATCH_TOO_LARGE);
    assertThatThrownBy(() -> freshRead(prefix(-1)))
        .isSameAs(MalformedFrameException.BATCH_TOO_LARGE);
  }

  /** Each is a message of which the rest never comes: what is wrong is known from its beginning. */
  @ParameterizedTest
  @CsvSource({
    // A length beyond the message.
    "0 0 0 0 4 0a 3",
    "0 0 0 0 14 0a ff ff ff ff f",
    "0 0 0 0 14 0a ff ff ff ff ff ff ff ff ff 1",
    // A fixed64 and a fixed32 beyond the message.
    "0 0 0 0 4 11",
    "0 0 0 0 4 15",
    // A tag and a varint that the end of the message cuts off.
    "0 0 0 0 1 80",
    "0 0 0 0 2 10 80"
  })
  void field_beyondItsMessage_isMalformed(String bytes) {
    assertMalformed("a field ends beyond its frame or batch", bytes);
  }

  /** Memory for what a peer announces is not reserved before it comes, beyond a payload's. */
  @Test
  void cutField_reservesAtMostAPayload() throws Exception {
    var allocator = new UnpooledByteBufAllocator(true);
    BatchStream announced = new BatchStream(allocator);
    byte[] fieldOfAlmostAMebibyte = {0, 0, 0x0f, -1, -1, 0x0a, -5, -1, 0x3f};
    announced.begin(Unpooled.wrappedBuffer(fieldOfAlmostAMebibyte));

    assertThat(announced.next()).isNull();
    assertThat(allocator.metric().usedDirectMemory()).isBetween(1L, 80L * 1024);
    announced.release();
    assertThat(allocator.metric().usedDirectMemory()).isZero();
  }

  private void assertMalformed(String text, String hexBytes) {
    String[] words = hexBytes.split(" ");
    byte[] bytes = new byte[words.length];
    for (int i = 0; i < words.length; i++) {
      bytes[i] = (byte) Integer.parseInt(words[i], 16);
    }
    assertThatThrownBy(() -> freshRead(bytes))
        .isInstanceOf(MalformedFrameException.class)
        .hasMessage(text);
    assertThatThrownBy(
            () -> {
              for (byte next : bytes) {
                read(new byte[] {next});
              }
            })
        .hasMessage(text);
  }

  private void freshRead(byte[] bytes) throws Exception {
    BatchStream fresh = new BatchStream(ByteBufAllocator.DEFAULT);
    try {
      fresh.begin(Unpooled.wrappedBuffer(bytes));
      while (fresh.next() != null) {
        // Reads on.
      }
    } finally {
      fresh.release();
    }
  }

  private List<dev.waymark.v1.UpstreamFrame> read(byte[] bytes) throws Exception {
    return read(bytes, 0, bytes.length);
  }

  private List<dev.waymark.v1.UpstreamFrame> read(byte[] bytes, int from, int to) throws Exception {
    List<dev.waymark.v1.UpstreamFrame> frames = new ArrayList<>();
    ByteBuf data = Unpooled.wrappedBuffer(bytes, from, to - from);
    stream.begin(data);
    for (ByteBuf fields; (fields = stream.next()) != null; ) {
      while (reader.read(fields, frame)) {
        frames.add(UpstreamFrames.toProto(frame));
      }
    }
    assertThat(data.refCnt()).as("data is borrowed").isEqualTo(1);
    return frames;
  }

  private static byte[] message(byte[] batch) {
    return ByteBuffer.allocate(BatchStream.PREFIX_BYTES + batch.length)
        .put(prefix(batch.length))
        .put(batch)
        .array();
  }

  private static byte[] prefix(int bytes) {
    return ByteBuffer.allocate(BatchStream.PREFIX_BYTES).put((byte) 0).putInt(bytes).array();
  }
}
