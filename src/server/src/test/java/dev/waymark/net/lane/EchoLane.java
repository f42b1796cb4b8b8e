package dev.waymark.net.lane;

import dev.waymark.net.dial.Dial;
import dev.waymark.testing.Frames;
import dev.waymark.testing.RawServer;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A stream to an upstream that returns each message at once. Measures how long its event loop is
 * busy with other things while a message is on its way, and how much direct memory Netty uses.
 * Thread-safe.
 *
 * <p>Busy means CPU time of the loop's thread: on a machine with other work, the time that passes
 * says little about the loop.
 */
final class EchoLane implements AutoCloseable, AttachStream.Listener {
  /** A message of 64 bytes with its prefix. */
  private static final int MESSAGE_BYTES = 69;

  private static final long INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final int MS_MAX = 10_000;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final TestLoop loop;
  private final RawServer server;
  private final AttachStream stream;

  /**
   * How many messages were delayed by that many milliseconds, or would have been if they had been
   * sent on time.
   */
  private final long[] countByMs = new long[MS_MAX + 1];

  private long count;
  private long directBytesMax;
  private long busyNsBefore;
  private int returnedBytes;
  private @Nullable Status end;

  private EchoLane(TestLoop loop) throws IOException {
    this.loop = loop;
    this.server = RawServer.startAtOnce(EchoLane::echo);
    this.stream = AttachStream.create("http", "echo", "waymark/test", 1 << 20, this);
  }

  /** Opens a stream, which then sends messages until it is closed. */
  static EchoLane open(TestLoop loop) throws Exception {
    var opened = new EchoLane(loop);
    var address = new InetSocketAddress("127.0.0.1", opened.server.port());
    loop.call(() ->
            loop.dialler().dial("echo", address, Duration.ZERO, null, new Dial(), opened.stream))
        .sync();
    return opened;
  }

  /** Windows of the largest size save it from updating them. */
  private static void echo(RawServer.Connection connection) throws IOException {
    byte[] largest = {0x7f, (byte) 0xff, 0, 0};
    byte[] initialWindow = {0, 4, 0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff};
    connection.send(Frames.frame(Http2FrameTypes.SETTINGS, Frames.NO_FLAGS, 0, initialWindow));
    connection.send(Frames.frame(Http2FrameTypes.WINDOW_UPDATE, Frames.NO_FLAGS, 0, largest));
    connection.awaitCall();
    connection.send(Frames.settingsAck());
    connection.sendHeaders();
    while (true) {
      RawServer.Received frame = connection.receive();
      if (frame.type() == Http2FrameTypes.DATA) {
        connection.send(
            Frames.frame(Http2FrameTypes.DATA, Frames.NO_FLAGS, RawServer.STREAM, frame.payload()));
      }
    }
  }

  // --- the stream ---

  @Override
  public void onWritable() {
    busyNsBefore = busyNs();
    sendNext();
  }

  @Override
  public void onAccepted() {}

  @Override
  public void onData(ByteBuf data) {
    returnedBytes += data.readableBytes();
    if (returnedBytes == MESSAGE_BYTES) {
      returnedBytes = 0;
      long busyNs = busyNs();
      // A message that is late delays those after it, which must not hide how late they are.
      for (long lateNs = busyNs - busyNsBefore; lateNs >= 0; lateNs -= INTERVAL_NS) {
        count++;
        countByMs[(int) Math.min(MS_MAX, TimeUnit.NANOSECONDS.toMillis(lateNs))]++;
      }
      directBytesMax = Math.max(directBytesMax, directBytes());
      busyNsBefore = busyNs;
      var _ = loop.eventLoop().schedule(this::sendNext, INTERVAL_NS, TimeUnit.NANOSECONDS);
    }
  }

  @Override
  public void onGoAway() {}

  @Override
  public void onEnd(Status status) {
    end = status;
  }

  private void sendNext() {
    stream.send(Unpooled.wrappedBuffer(new byte[MESSAGE_BYTES]));
  }

  private static long busyNs() {
    return THREADS.getCurrentThreadCpuTime();
  }

  // --- what was measured ---

  /** What a stream experienced. */
  record Figures(long messages, long p99Ms, long maxMs, long directBytesMax, boolean isAlive) {}

  Figures figures() throws Exception {
    return loop.call(
        () -> new Figures(count, quantileMs(99), quantileMs(100), directBytesMax, end == null));
  }

  private long quantileMs(int percent) {
    long rest = count * percent / 100;
    int ms = 0;
    while (ms < MS_MAX && (rest -= countByMs[ms]) > 0) {
      ms++;
    }
    return ms;
  }

  /** How much direct memory Netty's buffers use. */
  static long directBytes() {
    return ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT).metric().usedDirectMemory();
  }

  @Override
  public void close() throws IOException {
    loop.eventLoop().execute(stream::cancel);
    server.close();
  }
}
