package dev.waymark.net.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class OutputGuardTest {
  private final AtomicInteger reads = new AtomicInteger();
  private final EmbeddedChannel channel =
      new EmbeddedChannel(
          new ChannelOutboundHandlerAdapter() {
            @Override
            public void read(ChannelHandlerContext context) {
              reads.incrementAndGet();
            }
          },
          new OutputGuard());

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  private static ByteBuf buffer(int capacity, int bytes) {
    return Unpooled.buffer(capacity).writeZero(bytes);
  }

  @Test
  void smallAnswer_inALargeBuffer_takesOnlyItsOwnMemory() {
    channel.writeOutbound(buffer(16_384, 27));
    ByteBuf written = channel.readOutbound();
    assertThat(written.readableBytes()).isEqualTo(27);
    assertThat(written.capacity()).isEqualTo(27);
    written.release();
  }

  @Test
  void otherBuffers_areNotCopied() {
    for (int bytes : new int[] {5_000, 16_384}) {
      ByteBuf full = buffer(16_384, bytes);
      channel.writeOutbound(full);
      assertThat(channel.<ByteBuf>readOutbound()).isSameAs(full);
      full.release();
    }
    ByteBuf small = buffer(512, 1);
    channel.writeOutbound(small);
    assertThat(channel.<ByteBuf>readOutbound()).isSameAs(small);
    small.release();
  }

  @Test
  void peerThatDoesNotRead_isNotReadFrom_untilItDoes() {
    channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(100, 200));
    reads.set(0);
    channel.write(buffer(300, 300));
    channel.read();
    assertThat(reads).hasValue(0);
    channel.flush();
    assertThat(reads).hasValue(1);
    channel.read();
    assertThat(reads).hasValue(2);
  }
}
