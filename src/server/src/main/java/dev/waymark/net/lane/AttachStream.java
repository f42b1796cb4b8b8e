package dev.waymark.net.lane;

import static io.netty.handler.codec.http2.Http2CodecUtil.DEFAULT_WINDOW_SIZE;

import dev.waymark.protocol.codec.AttachMethod;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import io.netty.util.AsciiString;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP/2 connection of a lane. It has a single stream, the call of Attach ("gRPC over HTTP2",
 * github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), which begins as soon as the upstream's
 * SETTINGS allow it and ends together with the connection.
 *
 * <p>HTTP/2 itself is Netty's codec: frames, HPACK, flow control in both directions. The limits on
 * what an upstream may send are {@link dev.waymark.protocol.http2.PeerGuard}'s, and the codec's for
 * what only it can see: the size of headers and their CONTINUATION frames. Confined to the event
 * loop of its channel.
 */
final class AttachStream extends Http2ConnectionHandler {
  /** What happens on the stream. Called on the channel's event loop. */
  interface Listener {
    /** Messages may be sent, or may be sent again after {@link #send} returned false. */
    void onWritable();

    /** The upstream has accepted the call. */
    void onAccepted();

    /**
     * Bytes of the upstream's messages have come; borrowed. Their part of the flow-control window
     * is returned to the upstream afterwards.
     */
    void onData(ByteBuf data);

    /**
     * The upstream has announced that it will end the connection; the stream goes on until then.
     */
    void onGoAway();

    /** The stream has ended, other than by {@link #cancel}; the connection is being closed. */
    void onEnd(Status status);
  }

  /**
   * The flow-control window of the stream and of the connection; large enough for Attach's own
   * windows to take effect first (docs/decisions/0003).
   */
  private static final int WINDOW_BYTES = 4 * 1024 * 1024;

  /** SETTINGS_MAX_HEADER_LIST_SIZE; what gRPC's implementations allow by default. */
  private static final int HEADER_LIST_BYTES_MAX = 8 * 1024;

  /** Headers in small parts cost more than their bytes. */
  private static final int SMALL_CONTINUATION_FRAMES_MAX = 16;

  /** How long the upstream may take to read the end of the connection. */
  private static final long CLOSE_TIMEOUT_MS = 1_000;

  private static final AsciiString POST = AsciiString.cached("POST");
  private static final AsciiString PATH = AsciiString.cached(AttachMethod.path());
  private static final AsciiString TE = AsciiString.cached("te");
  private static final AsciiString TRAILERS = AsciiString.cached("trailers");
  private static final AsciiString USER_AGENT = AsciiString.cached("user-agent");

  private final Listener listener;
  private final Http2Headers request;
  private final int queueBytesMax;
  private @Nullable ChannelHandlerContext context;
  private @Nullable Http2Stream stream;
  private int queuedBytes;
  private boolean isSending;
  private boolean isFull;
  private boolean isAccepted;
  private boolean isEnded;

  /** Why the connection ends, as far as that is known before it does. */
  private @Nullable Status ending;

  private AttachStream(
      Http2ConnectionDecoder decoder,
      Http2ConnectionEncoder encoder,
      Http2Settings settings,
      Http2Headers request,
      int queueBytesMax,
      Listener listener) {
    super(decoder, encoder, settings, false, false);
    this.request = request;
    this.queueBytesMax = queueBytesMax;
    this.listener = listener;
  }

  /**
   * Creates the handler of a connection, to be added to its channel.
   *
   * @param scheme http or https
   * @param authority of the upstream (RFC 9113, section 8.3.1)
   * @param queueBytesMax how many bytes of messages may wait for the socket before the stream
   *     counts as full
   */
  static AttachStream create(
      String scheme, String authority, String userAgent, int queueBytesMax, Listener listener) {
    return new Builder(request(scheme, authority, userAgent), queueBytesMax, listener).build();
  }

  private static Http2Headers request(String scheme, String authority, String userAgent) {
    return new DefaultHttp2Headers(false)
        .method(POST)
        .scheme(scheme)
        .path(PATH)
        .authority(authority)
        .add(TE, TRAILERS)
        .add(GrpcHeaders.CONTENT_TYPE, GrpcHeaders.GRPC)
        .add(USER_AGENT, userAgent);
  }

  // --- commands ---

  /**
   * Sends a message, which may not be called before {@link Listener#onWritable}. Calls no listener,
   * even if the write fails at once: that is told later.
   *
   * @param owned with its gRPC prefix
   */
  void send(ByteBuf owned) {
    ChannelHandlerContext to = context;
    Http2Stream open = stream;
    if (isEnded || to == null || open == null) {
      owned.release();
      return;
    }
    int bytes = owned.readableBytes();
    queuedBytes += bytes;
    isSending = true;
    try {
      encoder()
          .writeData(to, open.id(), owned, 0, false, to.newPromise())
          .addListener(sent -> onSent(bytes));
      flush(to);
    } finally {
      isSending = false;
    }
    if (queuedBytes >= queueBytesMax) {
      isFull = true;
    } else if (isFull) {
      // Not here: the caller is not prepared for calls.
      to.executor().execute(this::noteWritable);
    }
  }

  /** Whether messages may be sent; {@link Listener#onWritable} follows if not. */
  boolean isWritable() {
    return stream != null && !isFull && !isEnded;
  }

  /** Ends this side of the stream; the upstream ends the other. */
  void halfClose() {
    ChannelHandlerContext to = context;
    Http2Stream open = stream;
    if (!isEnded && to != null && open != null) {
      encoder().writeData(to, open.id(), Unpooled.EMPTY_BUFFER, 0, true, to.newPromise());
      flush(to);
    }
  }

  /** Resets the stream and closes the connection; no event follows. */
  void cancel() {
    if (!isEnded) {
      isEnded = true;
      closeConnection(Http2Error.CANCEL);
    }
  }

  private void onSent(int bytes) {
    queuedBytes -= bytes;
    if (isFull && !isSending) {
      noteWritable();
    }
  }

  private void noteWritable() {
    if (isFull && !isEnded && queuedBytes < queueBytesMax) {
      isFull = false;
      listener.onWritable();
    }
  }

  // --- the connection ---

  @Override
  public void handlerAdded(ChannelHandlerContext added) throws Exception {
    context = added;
    super.handlerAdded(added);
  }

  @Override
  public void channelActive(ChannelHandlerContext active) throws Exception {
    super.channelActive(active);
    // SETTINGS cannot change the window of the connection (RFC 9113, section 6.9.2).
    Http2Stream whole = connection().connectionStream();
    decoder().flowController().incrementWindowSize(whole, WINDOW_BYTES - DEFAULT_WINDOW_SIZE);
    active.flush();
  }

  @Override
  public void channelInactive(ChannelHandlerContext inactive) throws Exception {
    end(ending != null ? ending : Status.UNAVAILABLE.withDescription("connection closed"), null);
    super.channelInactive(inactive);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext failed, Throwable cause) throws Exception {
    if (cause instanceof IOException) {
      endingWith(lost(cause));
      failed.close();
    } else {
      // Bytes are missing if another handler failed: the connection cannot go on.
      onError(failed, false, cause);
    }
  }

  @Override
  protected void onConnectionError(
      ChannelHandlerContext failed,
      boolean outbound,
      Throwable cause,
      @Nullable Http2Exception error) {
    if (!isEnded) {
      isEnded = true;
      // Before a write failed, the upstream may have said why it would close the connection.
      Status status = ending == null ? lost(cause) : ending;
      tellEnd(failed, error == null ? status : ofError(error));
    }
    // Closes the connection too, and its GOAWAY tells the upstream why.
    super.onConnectionError(failed, outbound, cause, error);
  }

  @Override
  protected void onStreamError(
      ChannelHandlerContext failed,
      boolean outbound,
      Throwable cause,
      Http2Exception.StreamException error) {
    if (isAttach(error.streamId())) {
      end(ofError(error), error.error());
    } else {
      super.onStreamError(failed, outbound, cause, error);
    }
  }

  private void tellEnd(ChannelHandlerContext ended, Status status) {
    if (isSending) {
      ended.executor().execute(() -> listener.onEnd(status));
    } else {
      listener.onEnd(status);
    }
  }

  /**
   * Also called at the bridge's stop, which does not wait for the upstream to end the stream, and
   * by Netty if the connection's preface cannot be written. The end is told when the channel is
   * closed.
   */
  @Override
  public void close(ChannelHandlerContext closing, ChannelPromise promise) throws Exception {
    Http2Stream open = stream;
    if (!isEnded && open != null) {
      resetStream(closing, open.id(), Http2Error.CANCEL.code(), closing.newPromise());
    }
    super.close(closing, promise);
  }

  private static Status lost(Throwable cause) {
    return Status.UNAVAILABLE.withDescription(
        cause instanceof IOException
            ? "connection lost: " + cause.getMessage()
            : "connection failed: " + cause);
  }

  private static Status ofError(Http2Exception error) {
    return Status.INTERNAL.withDescription("HTTP/2 " + error.error() + ": " + error.getMessage());
  }

  private void endingWith(Status status) {
    if (ending == null) {
      ending = status;
    }
  }

  private void end(Status status) {
    end(status, Http2Error.CANCEL);
  }

  /** Ends after the upstream has ended its side. */
  private void endFinished(Status status) {
    boolean isClosed = stream != null && stream.state() == Http2Stream.State.HALF_CLOSED_LOCAL;
    end(status, isClosed ? null : Http2Error.CANCEL);
  }

  /**
   * Ends once.
   *
   * @param reset for the stream; null if it is closed already (RFC 9113, section 5.1)
   */
  private void end(Status status, @Nullable Http2Error reset) {
    if (!isEnded) {
      isEnded = true;
      listener.onEnd(status);
      closeConnection(reset);
    }
  }

  private void closeConnection(@Nullable Http2Error reset) {
    ChannelHandlerContext closing = context;
    if (closing == null) {
      return;
    }
    Http2Stream open = stream;
    if (open != null && reset != null) {
      resetStream(closing, open.id(), reset.code(), closing.newPromise());
    }
    closing.pipeline().close();
  }

  private boolean isAttach(int streamId) {
    return stream != null && stream.id() == streamId;
  }

  // --- the stream ---

  /** Begins the call, unless the upstream does not allow a stream yet. */
  private void start(ChannelHandlerContext to) {
    if (!connection().local().canOpenStream()) {
      endingWith(
          Status.UNAVAILABLE.withDescription(
              "allows no stream: SETTINGS_MAX_CONCURRENT_STREAMS is 0"));
      return;
    }
    ending = null;
    int id = connection().local().incrementAndGetNextStreamId();
    ChannelFuture begun = encoder().writeHeaders(to, id, request, 0, false, to.newPromise());
    stream = connection().stream(id);
    if (begun.cause() instanceof Http2Exception refused) {
      // For example, it exceeds the upstream's SETTINGS_MAX_HEADER_LIST_SIZE.
      end(Status.INTERNAL.withDescription("cannot send the request: " + refused.getMessage()));
    } else if (stream != null && !isEnded) {
      listener.onWritable();
    }
  }

  private final class Frames extends Http2FrameAdapter {
    @Override
    public void onSettingsRead(ChannelHandlerContext from, Http2Settings settings) {
      if (stream == null && !isEnded) {
        start(from);
      }
    }

    @Override
    public void onHeadersRead(
        ChannelHandlerContext from,
        int streamId,
        Http2Headers headers,
        int streamDependency,
        short weight,
        boolean exclusive,
        int padding,
        boolean endOfStream) {
      onHeadersRead(from, streamId, headers, padding, endOfStream);
    }

    @Override
    public void onHeadersRead(
        ChannelHandlerContext from,
        int streamId,
        Http2Headers headers,
        int padding,
        boolean endOfStream) {
      if (!isAttach(streamId) || isEnded) {
        return;
      }
      if (endOfStream) {
        endFinished(
            isAccepted ? GrpcHeaders.ofTrailers(headers) : GrpcHeaders.ofTrailersOnly(headers));
      } else if (!GrpcHeaders.isInformational(headers)) {
        Status problem = GrpcHeaders.problemOf(headers);
        if (problem != null) {
          end(problem);
        } else if (!isAccepted) {
          isAccepted = true;
          listener.onAccepted();
        }
      }
    }

    @Override
    public int onDataRead(
        ChannelHandlerContext from, int streamId, ByteBuf data, int padding, boolean endOfStream) {
      int bytes = data.readableBytes() + padding;
      if (!isAttach(streamId) || isEnded) {
        return bytes;
      }
      if (!isAccepted) {
        end(Status.INTERNAL.withDescription("DATA came before HEADERS"), Http2Error.PROTOCOL_ERROR);
        return bytes;
      }
      listener.onData(data);
      if (endOfStream) {
        endFinished(Status.INTERNAL.withDescription("the stream ended without a grpc-status"));
      }
      return bytes;
    }

    @Override
    public void onRstStreamRead(ChannelHandlerContext from, int streamId, long errorCode) {
      if (isAttach(streamId)) {
        end(GrpcHeaders.ofReset(errorCode), null);
      }
    }

    @Override
    public void onGoAwayRead(
        ChannelHandlerContext from, int lastStreamId, long errorCode, ByteBuf debugData) {
      Status status = GrpcHeaders.ofGoAway(errorCode, debugData);
      // The last one says most: a first may only announce that another follows.
      ending = status;
      if (stream == null || stream.id() > lastStreamId) {
        end(status);
      } else if (!isEnded) {
        listener.onGoAway();
      }
    }
  }

  /** Only a builder can set the limits of Netty's codec. */
  private static final class Builder
      extends AbstractHttp2ConnectionHandlerBuilder<AttachStream, Builder> {
    private final Http2Headers request;
    private final int queueBytesMax;
    private final Listener listener;

    Builder(Http2Headers request, int queueBytesMax, Listener listener) {
      this.request = request;
      this.queueBytesMax = queueBytesMax;
      this.listener = listener;
      Http2Connection connection = new DefaultHttp2Connection(false);
      connection
          .remote()
          .flowController(
              new DefaultHttp2RemoteFlowController(
                  connection, new UniformStreamByteDistributor(connection)));
      // Netty applies SETTINGS_ENABLE_PUSH when it is acknowledged, which an upstream may never do.
      connection.local().allowPushTo(false);
      connection(connection);
      validateRequiredPseudoHeaders(true);
      initialSettings(
          Http2Settings.defaultSettings()
              .pushEnabled(false)
              .maxConcurrentStreams(0)
              .initialWindowSize(WINDOW_BYTES)
              .maxHeaderListSize(HEADER_LIST_BYTES_MAX));
      gracefulShutdownTimeoutMillis(CLOSE_TIMEOUT_MS);
      decoderEnforceMaxSmallContinuationFrames(SMALL_CONTINUATION_FRAMES_MAX);
      // PeerGuard counts these: within a second, and also for closed streams.
      encoderEnforceMaxQueuedControlFrames(0);
      decoderEnforceMaxConsecutiveEmptyDataFrames(0);
    }

    @Override
    public AttachStream build() {
      return super.build();
    }

    @Override
    protected AttachStream build(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
      AttachStream handler =
          new AttachStream(decoder, encoder, settings, request, queueBytesMax, listener);
      decoder.frameListener(handler.new Frames());
      return handler;
    }
  }
}
