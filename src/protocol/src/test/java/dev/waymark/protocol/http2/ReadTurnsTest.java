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

/** What a guard hands on in a turn of its loop, by what that costs. */
final class ReadTurnsTest {
  private static final int CHUNK_BYTES = ReadTurns.BUFFER_BYTES_MAX;

  /** One turn's time for every 8 KiB. */
  private static final long DEAR_NS = ReadTurns.TURN_NS / (8 * 1024);

  private final MockTicker ticker = Ticker.newMockTicker();
  private final Costly grpc = new Costly();
  private final List<String> floods = new ArrayList<>();
  private final EmbeddedChannel channel =
      EmbeddedChannel.builder()
          .ticker(ticker)
          .handlers(PeerGuard.ofServer(floods::add), grpc)
          .build();

  /** Stands for gRPC: every byte takes so long. */
  private final class Costly extends ChannelInboundHandlerAdapter {
    final ByteArrayOutputStream got = new ByteArrayOutputStream();
    final List<Integer> buffers = new ArrayList<>();
    long nsPerByte;
    int completes;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      buffers.add(bytes.readableBytes());
      ticker.advance(bytes.readableBytes() * nsPerByte, TimeUnit.NANOSECONDS);
      while (bytes.isReadable()) {
        got.write(bytes.readByte());
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
  void cheapBytes_passAsTheyCome() {
    for (int i = 0; i < 100; i++) {
      read(chunk(i));
    }

    assertThat(grpc.buffers).hasSize(100).containsOnly(CHUNK_BYTES);
    assertThat(channel.config().isAutoRead()).isTrue();
  }

  @Test
  void dearBytes_waitForLaterTurns_andNothingIsReadMeanwhile() {
    grpc.nsPerByte = DEAR_NS;
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

    assertThat(grpc.got.toByteArray()).isEqualTo(sent);
    // Each takes a turn, and not many.
    assertThat(grpc.buffers.getLast()).isBetween(ReadTurns.BUFFER_BYTES_MIN, 16 * 1024);
  }

  @Test
  void dearBytes_thatBecomeCheap_passAsTheyComeAgain() {
    grpc.nsPerByte = DEAR_NS;
    read(chunk(1));
    read(chunk(2));
    grpc.nsPerByte = 0;
    runAll();
    grpc.buffers.clear();
    read(chunk(3));

    assertThat(grpc.buffers).containsExactly(CHUNK_BYTES);
  }

  @Test
  void dearChunks_ofManyReads_areOneTurn() {
    grpc.nsPerByte = ReadTurns.TURN_NS * 2 / 3 / CHUNK_BYTES;
    for (int i = 0; i < 8; i++) {
      read(chunk(i));
    }

    assertThat(grpc.buffers).hasSize(2);
    runAll();
    assertThat(grpc.buffers).hasSize(8);
  }

  @Test
  void peer_thatCloses_hasItsLastBytesHeard() {
    grpc.nsPerByte = DEAR_NS;
    List<ByteBuf> chunks = List.of(chunk(1), chunk(2));
    byte[] sent = bytesOf(chunks);
    chunks.forEach(this::read);
    channel.pipeline().fireChannelInactive();

    assertThat(grpc.got.toByteArray()).isEqualTo(sent);
    runAll();
    assertThat(grpc.got.size()).isEqualTo(sent.length);
  }

  @Test
  void guard_thatGoes_releasesWhatWaits() {
    grpc.nsPerByte = DEAR_NS;
    ByteBuf last = chunk(2);
    read(chunk(1));
    read(last);
    channel.pipeline().remove(PeerGuard.class);

    assertThat(last.refCnt()).isZero();
    runAll();
    assertThat(grpc.buffers).hasSize(1);
  }

  /** In the present turn. */
  private void read(ByteBuf chunk) {
    channel.pipeline().fireChannelRead(chunk);
  }

  private void runAll() {
    while (channel.runScheduledPendingTasks() == 0) {
      // Goes on as long as a task is due.
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

  /** DATA frames, each with the same content. */
  private static ByteBuf chunk(int content) {
    int frameBytes = 1024;
    byte[] payload = new byte[frameBytes - 9];
    Arrays.fill(payload, (byte) content);
    ByteBuf frame = Frames.frame(0, Frames.NO_FLAGS, RawServer.STREAM, payload);
    return Frames.times(CHUNK_BYTES / frameBytes, frame);
  }
}
