package dev.waymark.net.lane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.testing.Frames;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An upstream that sends what a test tells it, byte for byte, to an {@link AttachStream} without a
 * socket, and writes down what comes back: the frames and the events, each as a short text.
 */
final class ScriptedUpstream implements AttachStream.Listener {
  static final int WINDOW_BYTES = 4 * 1024 * 1024;
  static final int DEFAULT_WINDOW_BYTES = 65_535;
  static final int QUEUE_BYTES_MAX = 1_000;

  /** How far the call is. */
  enum State {
    /** The upstream's SETTINGS have not come. */
    CONNECTED,
    /** The upstream does not allow a stream yet. */
    WAITING,
    /** The request is sent. */
    CALLED,
    /** The response has begun. */
    OPEN,
    /** The same, and the bridge has ended its side. */
    HALF_CLOSED
  }

  private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  private static final long CLOSE_TIMEOUT_MS = 1_000;

  /** Counts what is not released. */
  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);

  private final Socket socket = new Socket();
  private final List<String> events = new ArrayList<>();
  private final StringBuilder data = new StringBuilder();
  private final List<ByteBuf> fed = new ArrayList<>();
  private final ByteBuf written = Unpooled.buffer();
  private final EmbeddedChannel channel;
  private final Http2Headers request = new DefaultHttp2Headers();
  private Runnable whenWritable = () -> {};
  private int headerTableBytes = 4_096;
  private boolean isAccepted;
  private int goAways;

  final AttachStream stream =
      AttachStream.create("http", "games.example:7070", "waymark/test", QUEUE_BYTES_MAX, this);

  ScriptedUpstream() throws Exception {
    this(false);
  }

  private ScriptedUpstream(boolean isStuck) throws Exception {
    socket.isStuck = isStuck;
    channel = new EmbeddedChannel(false, false, socket, stream);
    channel.config().setAllocator(allocator);
    channel.register();
    channel.freezeTime();
  }

  /** Not even the connection preface leaves. */
  static ScriptedUpstream notReading() throws Exception {
    return new ScriptedUpstream(true);
  }

  // --- scenes ---

  /** Takes the call to that state. */
  void reach(State state) throws Http2Exception {
    expectPreface();
    assertThat(frames()).hasSize(2);
    if (state == State.WAITING) {
      sends(RawFrames.settings(RawFrames.MAX_CONCURRENT_STREAMS, 0));
      assertThat(frames()).containsExactly("SETTINGS ACK");
    }
    if (state.compareTo(State.CALLED) >= 0) {
      sends(RawFrames.settings());
      assertThat(frames()).containsExactly("SETTINGS ACK", "HEADERS " + RawFrames.STREAM);
      assertThat(events()).containsExactly("writable");
    }
    if (state.compareTo(State.OPEN) >= 0) {
      sends(RawFrames.response());
      assertThat(events()).containsExactly("accepted");
    }
    if (state == State.HALF_CLOSED) {
      stream.halfClose();
      assertThat(frames()).containsExactly("DATA 0 END_STREAM");
    }
  }

  /** Takes the call from that state to its end. */
  void expectLife(State state) throws Http2Exception {
    if (state == State.WAITING) {
      sends(RawFrames.settings(RawFrames.MAX_CONCURRENT_STREAMS, 1));
      assertThat(frames()).containsExactly("SETTINGS ACK", "HEADERS " + RawFrames.STREAM);
    }
    if (state.compareTo(State.OPEN) < 0) {
      sends(isAccepted ? new byte[0] : RawFrames.response());
    }
    sends(RawFrames.data(RawFrames.STREAM, "alive"));
    assertThat(data()).isEqualTo("alive");
    if (state != State.HALF_CLOSED) {
      stream.send(message(7));
      assertThat(frames()).containsExactly("DATA 7");
    }
    events();
    sends(RawFrames.trailers(RawFrames.STREAM, "grpc-status", "0"));
    assertThat(events()).containsExactly("end OK: null");
  }

  // --- what the upstream does ---

  /** Sends the frames in one segment. */
  void sends(byte[]... frames) {
    sends(List.of(frames));
  }

  void sends(List<byte[]> frames) {
    ByteBuf segment = allocator.buffer();
    frames.forEach(segment::writeBytes);
    fed.add(segment);
    channel.writeInbound(segment);
  }

  void sendsByteByByte(byte[] frame) {
    for (byte each : frame) {
      sends(new byte[] {each});
    }
  }

  void disconnects() {
    channel.unsafe().close(channel.voidPromise());
    channel.runPendingTasks();
  }

  /** From now on, nothing that is written leaves. */
  void stopsReading() {
    socket.isStuck = true;
  }

  /** From now on, every write fails. */
  void resets() {
    socket.isReset = true;
  }

  /** What has not left fails, and so does the connection. */
  void resetsWhatWaits() {
    socket.isReset = true;
    socket.failWaiting(new IOException("Connection reset by peer"));
    disconnects();
  }

  void readsAgain() {
    socket.release();
    channel.runPendingTasks();
  }

  void passCloseTimeout() {
    channel.advanceTimeBy(CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
    channel.runScheduledPendingTasks();
    channel.runPendingTasks();
  }

  /** Reads headers with a dynamic table of this size. */
  void limitsHeaderTable(int bytes) {
    headerTableBytes = bytes;
  }

  // --- what the bridge does ---

  ByteBuf message(int bytes) {
    return allocator.buffer(Math.max(1, bytes)).writeZero(bytes);
  }

  void fails(Throwable cause) {
    channel.pipeline().fireExceptionCaught(cause);
    channel.runPendingTasks();
  }

  void onWritableDo(Runnable action) {
    whenWritable = action;
  }

  void runTasks() {
    channel.runPendingTasks();
  }

  // --- what came of it ---

  boolean isOpen() {
    return channel.isOpen();
  }

  /** The events since the last call, without data. */
  List<String> events() {
    var taken = List.copyOf(events);
    events.clear();
    return taken;
  }

  /** The data since the last call. */
  String data() {
    String taken = data.toString();
    data.setLength(0);
    return taken;
  }

  /** Asserts the connection preface, which precedes all frames (RFC 9113, section 3.4). */
  void expectPreface() {
    collect();
    assertThat(written.readString(PREFACE.length(), StandardCharsets.US_ASCII)).isEqualTo(PREFACE);
  }

  /** The frames since the last call. */
  List<String> frames() throws Http2Exception {
    collect();
    List<String> frames = new ArrayList<>();
    while (written.isReadable()) {
      int length = written.readUnsignedMedium();
      int type = written.readUnsignedByte();
      int flags = written.readUnsignedByte();
      int id = written.readInt();
      frames.add(text(type, flags, id, written.readSlice(length)));
    }
    written.clear();
    return frames;
  }

  /** The size of the DATA frames since the last call. */
  int dataBytes() throws Http2Exception {
    return frames().stream()
        .filter(each -> each.startsWith("DATA "))
        .mapToInt(each -> Integer.parseInt(each.substring("DATA ".length())))
        .sum();
  }

  /** The headers of the call. */
  Http2Headers request() {
    return request;
  }

  /** Closes what is open, and asserts that every buffer is released. */
  void end() {
    readsAgain();
    // Not the channel's own method, which cancels timers.
    channel.pipeline().close();
    passCloseTimeout();
    channel.finishAndReleaseAll();
    assertThat(channel.isOpen()).isFalse();
    assertThat(fed).allSatisfy(each -> assertThat(each.refCnt()).isZero());
    assertThat(allocator.metric().usedHeapMemory()).isZero();
    assertThat(allocator.metric().usedDirectMemory()).isZero();
  }

  private void collect() {
    ByteBuf next;
    while ((next = channel.readOutbound()) != null) {
      written.writeBytes(next);
      next.release();
    }
  }

  private String text(int type, int flags, int id, ByteBuf payload) throws Http2Exception {
    boolean hasFirstFlag = (flags & Frames.ACK) != 0;
    return switch (type) {
      case Http2FrameTypes.DATA ->
          "DATA " + payload.readableBytes() + (hasFirstFlag ? " END_STREAM" : "");
      case Http2FrameTypes.HEADERS -> headers(id, flags, payload);
      case Http2FrameTypes.RST_STREAM -> "RST_STREAM " + id + " " + error(payload);
      case Http2FrameTypes.SETTINGS -> hasFirstFlag ? "SETTINGS ACK" : settings(payload);
      case Http2FrameTypes.PING ->
          "PING " + (hasFirstFlag ? "ACK " : "") + ByteBufUtil.hexDump(payload);
      case Http2FrameTypes.GO_AWAY -> {
        payload.skipBytes(Integer.BYTES);
        yield "GOAWAY " + error(payload);
      }
      case Http2FrameTypes.WINDOW_UPDATE -> "WINDOW_UPDATE " + id + " +" + payload.readInt();
      default -> "frame of type " + type;
    };
  }

  private String headers(int id, int flags, ByteBuf block) throws Http2Exception {
    var decoder = new DefaultHttp2HeadersDecoder();
    decoder.configuration().maxHeaderTableSize(headerTableBytes);
    for (var header : decoder.decodeHeaders(id, block)) {
      request.add(header.getKey(), header.getValue());
    }
    return "HEADERS " + id + ((flags & Frames.END_STREAM) != 0 ? " END_STREAM" : "");
  }

  private static String settings(ByteBuf payload) {
    List<String> entries = new ArrayList<>();
    while (payload.isReadable()) {
      entries.add(payload.readUnsignedShort() + "=" + payload.readUnsignedInt());
    }
    return "SETTINGS " + String.join(" ", entries);
  }

  private static String error(ByteBuf payload) {
    long code = payload.readUnsignedInt();
    return String.valueOf(Http2Error.valueOf(code));
  }

  /** How often the lane was told that the connection will end. */
  int goAways() {
    return goAways;
  }

  @Override
  public void onWritable() {
    events.add("writable");
    whenWritable.run();
  }

  @Override
  public void onAccepted() {
    isAccepted = true;
    events.add("accepted");
  }

  @Override
  public void onData(ByteBuf borrowed) {
    data.append(borrowed.toString(StandardCharsets.US_ASCII));
  }

  @Override
  public void onGoAway() {
    goAways++;
  }

  @Override
  public void onEnd(Status status) {
    events.add("end " + status.getCode() + ": " + status.getDescription());
  }

  /** Where the socket would be. */
  private static final class Socket extends ChannelOutboundHandlerAdapter {
    private record Write(Object message, ChannelPromise promise) {}

    private final Queue<Write> waiting = new ArrayDeque<>();
    private boolean isStuck;
    private boolean isReset;
    private @Nullable ChannelHandlerContext context;

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
      context = added;
    }

    @Override
    public void write(ChannelHandlerContext to, Object message, ChannelPromise promise) {
      if (isReset) {
        ReferenceCountUtil.release(message);
        promise.setFailure(new IOException("Connection reset by peer"));
      } else if (isStuck) {
        waiting.add(new Write(message, promise));
      } else {
        to.write(message, promise);
      }
    }

    @Override
    public void close(ChannelHandlerContext to, ChannelPromise promise) throws Exception {
      failWaiting(new ClosedChannelException());
      to.close(promise);
    }

    void failWaiting(IOException cause) {
      for (Write write; (write = waiting.poll()) != null; ) {
        ReferenceCountUtil.release(write.message);
        write.promise.tryFailure(cause);
      }
    }

    void release() {
      isStuck = false;
      ChannelHandlerContext to = context;
      for (Write write; to != null && (write = waiting.poll()) != null; ) {
        to.write(write.message, write.promise);
      }
      if (to != null) {
        to.flush();
      }
    }
  }
}
