package dev.waymark.protocol.http2;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.testing.Frames;
import dev.waymark.testing.RawServer;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Ticker;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How much a guard forwards per turn of its loop, depending on the cost. */
final class ReadTurnsTest {
  private static final int CHUNK_BYTES = ReadTurns.BUFFER_BYTES_MAX;

  /** A cost at which 8 KiB take up a whole turn. */
  private static final long EXPENSIVE_NS_PER_BYTE = ReadTurns.TURN_NS / (8 * 1024);

  private final MockTicker ticker = Ticker.newMockTicker();
  private final CostlyHandler grpc = new CostlyHandler();
  private final List<String> floods = new ArrayList<>();
  private final EmbeddedChannel channel =
      EmbeddedChannel.builder()
          .ticker(ticker)
          .handlers(PeerGuard.forDialled(floods::add, () -> {}), grpc)
          .build();

  /** Stands in for gRPC: every byte takes {@code nsPerByte}. */
  private final class CostlyHandler extends ChannelInboundHandlerAdapter {
    final ByteArrayOutputStream received = new ByteArrayOutputStream();
    final List<Integer> buffers = new ArrayList<>();
    long nsPerByte;
    int completes;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      buffers.add(bytes.readableBytes());
      ticker.advance(bytes.readableBytes() * nsPerByte, TimeUnit.NANOSECONDS);
      while (bytes.isReadable()) {
        received.write(bytes.readByte());
      }
      bytes.release();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      completes++;
      // As Netty's codec does.
      if (!context.channel().config().isAutoRead()) {
        context.read();
      }
    }
  }

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
    assertThat(floods).isEmpty();
  }

  @Test
  void cheapBytes_areForwardedAtOnce() {
    for (int i = 0; i < 100; i++) {
      read(chunk(i));
    }

    assertThat(grpc.buffers).hasSize(100).containsOnly(CHUNK_BYTES);
    assertThat(channel.config().isAutoRead()).isTrue();
  }

  @Test
  void expensiveBytes_waitForLaterTurnsWhileReadingIsPaused() {
    grpc.nsPerByte = EXPENSIVE_NS_PER_BYTE;
    List<ByteBuf> chunks = List.of(chunk(1), chunk(2), chunk(3));
    byte[] sent = bytesOf(chunks);
    chunks.forEach(this::read);
    assertThat(grpc.buffers).hasSize(1);
    assertThat(channel.config().isAutoRead()).isFalse();

    int turns = 0;
    while (!channel.config().isAutoRead()) {
      int before = grpc.buffers.size();
      channel.runScheduledPendingTasks();
      turns++;
      assertThat(grpc.buffers.size() - before).isLessThanOrEqualTo(2);
      assertThat(grpc.completes).isEqualTo(turns);
    }

    assertThat(grpc.received.toByteArray()).isEqualTo(sent);
    // The size of the buffers has adapted: one takes about a turn.
    assertThat(grpc.buffers.getLast()).isBetween(ReadTurns.BUFFER_BYTES_MIN, 16 * 1024);
  }

  @Test
  void expensiveBytes_onceCheap_areForwardedAtOnceAgain() {
    grpc.nsPerByte = EXPENSIVE_NS_PER_BYTE;
    read(chunk(1));
    read(chunk(2));
    grpc.nsPerByte = 0;
    runAll();
    grpc.buffers.clear();
    read(chunk(3));

    assertThat(grpc.buffers).containsExactly(CHUNK_BYTES);
  }

  @Test
  void expensiveChunks_ofManyReads_shareOneTurn() {
    grpc.nsPerByte = ReadTurns.TURN_NS * 2 / 3 / CHUNK_BYTES;
    for (int i = 0; i < 8; i++) {
      read(chunk(i));
    }

    assertThat(grpc.buffers).hasSize(2);
    runAll();
    assertThat(grpc.buffers).hasSize(8);
  }

  @Test
  void peer_closing_hasItsLastBytesForwarded() {
    grpc.nsPerByte = EXPENSIVE_NS_PER_BYTE;
    List<ByteBuf> chunks = List.of(chunk(1), chunk(2));
    byte[] sent = bytesOf(chunks);
    chunks.forEach(this::read);
    channel.pipeline().fireChannelInactive();

    assertThat(grpc.received.toByteArray()).isEqualTo(sent);
    runAll();
    assertThat(grpc.received.size()).isEqualTo(sent.length);
  }

  @Test
  void guard_removed_releasesWhatWaits() {
    grpc.nsPerByte = EXPENSIVE_NS_PER_BYTE;
    ByteBuf last = chunk(2);
    read(chunk(1));
    read(last);
    channel.pipeline().remove(PeerGuard.class);

    assertThat(last.refCnt()).isZero();
    runAll();
    assertThat(grpc.buffers).hasSize(1);
  }

  /** Reads a chunk in the current turn. */
  private void read(ByteBuf chunk) {
    channel.pipeline().fireChannelRead(chunk);
  }

  private void runAll() {
    while (channel.runScheduledPendingTasks() == 0) {
      // Repeat while a task is due.
    }
  }

  private static byte[] bytesOf(List<ByteBuf> chunks) {
    var all = new ByteArrayOutputStream();
    chunks.forEach(chunk -> {
      byte[] bytes = new byte[chunk.readableBytes()];
      chunk.getBytes(chunk.readerIndex(), bytes);
      all.writeBytes(bytes);
    });
    return all.toByteArray();
  }

  /** {@link #CHUNK_BYTES} of DATA frames filled with this byte. */
  private static ByteBuf chunk(int content) {
    int frameBytes = 1024;
    byte[] payload = new byte[frameBytes - 9];
    Arrays.fill(payload, (byte) content);
    ByteBuf frame = Frames.frame(0, Frames.NO_FLAGS, RawServer.STREAM, payload);
    return Frames.times(CHUNK_BYTES / frameBytes, frame);
  }
}
