package dev.waymark.protocol.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WholeFramesTest {
  private static final int FRAME_BYTES_MAX = 16_384;

  private final EmbeddedChannel channel = new EmbeddedChannel(new ChannelInboundHandlerAdapter());
  private final ChannelHandlerContext context = channel.pipeline().firstContext();
  private final WholeFrames frames = new WholeFrames(0, FRAME_BYTES_MAX);
  private final List<ByteBuf> passed = new ArrayList<>();

  @AfterEach
  void release() {
    passed.forEach(ByteBuf::release);
    frames.release();
    channel.finishAndReleaseAll();
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 60", "2, 8, 300", "3, 100, 3000", "4, 20000, 16384", "5, 70000, 16384"})
  void bytes_arePassedUnchanged_andCutOnlyWhereAFrameEnds(
      long seed, int cutBytesMax, int payloadBytesMax) {
    var random = new SplittableRandom(seed);
    ByteBuf sent = Unpooled.buffer();
    List<Integer> ends = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      int payloadBytes =
          random.nextBoolean() ? random.nextInt(20) : random.nextInt(payloadBytesMax + 1);
      byte[] payload = new byte[payloadBytes];
      random.nextBytes(payload);
      sent.writeMedium(payloadBytes).writeZero(6).writeBytes(payload);
      ends.add(sent.writerIndex());
    }
    byte[] expected = ByteBufUtil.getBytes(sent);
    while (sent.isReadable()) {
      cut(sent.readBytes(Math.min(sent.readableBytes(), 1 + random.nextInt(cutBytesMax))));
    }

    int end = 0;
    for (ByteBuf next : passed) {
      end += next.readableBytes();
      assertThat(ends).contains(end);
    }
    assertThat(allPassed()).isEqualTo(expected);
  }

  @Test
  void wholeBuffer_isPassedAsItIs() {
    ByteBuf whole = Unpooled.buffer().writeMedium(3).writeZero(9);
    cut(whole);
    assertThat(passed).singleElement().isSameAs(whole);
  }

  /** The decoder says what is wrong with it. */
  @Test
  void oversizedFrame_andWhatFollows_isPassedAsItComes() {
    cut(Unpooled.wrappedBuffer(new byte[] {0, 0x40}));
    cut(Unpooled.wrappedBuffer(new byte[] {1, 0, 0, 0, 0, 0, 1, 5}));
    cut(Unpooled.wrappedBuffer(new byte[] {6}));
    assertThat(allPassed()).containsExactly(0, 0x40, 1, 0, 0, 0, 0, 0, 1, 5, 6);
  }

  @Test
  void preface_isNotAFrame() {
    WholeFrames fromClient = new WholeFrames(3, FRAME_BYTES_MAX);
    fromClient.cut(context, Unpooled.wrappedBuffer(new byte[] {-1, -1}), passed::add);
    fromClient.cut(
        context, Unpooled.wrappedBuffer(new byte[] {-1, 0, 0, 0, 4, 0, 0, 0, 0, 0}), passed::add);
    assertThat(allPassed()).containsExactly(-1, -1, -1, 0, 0, 0, 4, 0, 0, 0, 0, 0);
  }

  private void cut(ByteBuf owned) {
    frames.cut(context, owned, passed::add);
  }

  private byte[] allPassed() {
    ByteBuf all = Unpooled.buffer();
    passed.forEach(each -> all.writeBytes(each, each.readerIndex(), each.readableBytes()));
    return ByteBufUtil.getBytes(all);
  }
}
