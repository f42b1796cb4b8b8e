package dev.waymark.protocol.http2;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A handler between a socket and the HTTP/2 handler, grpc-java's or a lane's. Closes the connection
 * at once if the peer floods it ({@link FrameMeter}) or does not read the answers to its control
 * frames, and drops the bytes in which it detected the flood. Limits how long valid frames may
 * occupy the event loop ({@link ReadTurns}). Confined to the event loop of its channel.
 *
 * <p>On a dialled channel it also stops reading once we have sent GOAWAY, and closes the channel
 * soon after, whether or not the peer reads that frame.
 */
public final class PeerGuard extends ChannelDuplexHandler {
  /**
   * How many control frames (answers to PING and SETTINGS, WINDOW_UPDATE, RST_STREAM) may be queued
   * for a peer that does not read: the limit of Netty's own HTTP/2 server.
   */
  static final int UNREAD_FRAMES_MAX = Http2CodecUtil.DEFAULT_MAX_QUEUED_CONTROL_FRAMES;

  /** How long a peer may take to read GOAWAY before the socket is closed anyway. */
  static final long GOAWAY_TIMEOUT_MS = 1_000;

  private static final int HEADER_BYTES = 9;

  private final FrameMeter.Peer peer;
  private final Consumer<String> onFlood;
  private final Runnable onGoAway;
  private final FrameHeaderReader sent;
  private final WholeFrames frames;
  private final ReadTurns turns = new ReadTurns();
  private @Nullable FrameMeter meter;
  private int unreadFrames;
  private boolean isFilterInstalled;

  /** Once true, everything from the peer is dropped. */
  private boolean isEnding;

  private PeerGuard(FrameMeter.Peer peer, Consumer<String> onFlood, Runnable onGoAway) {
    this.peer = peer;
    this.onFlood = onFlood;
    this.onGoAway = onGoAway;
    boolean isServer = peer == FrameMeter.Peer.SERVER;
    this.sent = FrameHeaderReader.sent(isServer);
    this.frames =
        new WholeFrames(
            isServer ? 0 : FrameHeaderReader.PREFACE_BYTES, FrameHeaderReader.FRAME_BYTES_MAX);
  }

  /**
   * Creates a guard for a dialled channel; add it between the socket and gRPC's handlers.
   *
   * @param onFlood called with a description of the flood, on the channel's event loop, before the
   *     channel is closed
   * @param onGoAway called there when the peer has sent GOAWAY, perhaps more than once
   */
  public static PeerGuard forDialled(Consumer<String> onFlood, Runnable onGoAway) {
    return new PeerGuard(FrameMeter.Peer.SERVER, onFlood, onGoAway);
  }

  /** Creates a guard for an accepted channel. */
  static PeerGuard forAccepted(Consumer<String> onFlood) {
    return new PeerGuard(FrameMeter.Peer.CLIENT, onFlood, () -> {});
  }

  // --- in ---

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (isEnding) {
      ReferenceCountUtil.release(message);
      return;
    }
    if (!isFilterInstalled) {
      isFilterInstalled = EmptyDataFilter.install(context.pipeline());
    }
    String flood = meter(context).onBytes((ByteBuf) message);
    if (meter(context).isLeaving()) {
      onGoAway.run();
    }
    if (flood == null) {
      frames.cut(context, (ByteBuf) message, whole -> turns.onRead(context, whole));
    } else {
      ReferenceCountUtil.release(message);
      end(context, flood);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    turns.onReadComplete();
    context.fireChannelReadComplete();
  }

  /** Ignores reads while paused: without auto-read, the codec asks for more itself. */
  @Override
  public void read(ChannelHandlerContext context) {
    if (!turns.isPaused()) {
      context.read();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    turns.onInactive(context);
    context.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    frames.release();
    turns.end();
  }

  private FrameMeter meter(ChannelHandlerContext context) {
    FrameMeter known = meter;
    if (known == null) {
      known = new FrameMeter(peer, context.executor().ticker());
      meter = known;
    }
    return known;
  }

  // --- out ---

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    int control = 0;
    boolean isGoAway = false;
    sent.begin((ByteBuf) message);
    while (sent.next()) {
      switch (sent.type()) {
        case Http2FrameTypes.DATA -> meter(context).onDataSent();
        case Http2FrameTypes.PING,
            Http2FrameTypes.SETTINGS,
            Http2FrameTypes.RST_STREAM,
            Http2FrameTypes.WINDOW_UPDATE ->
            control++;
        case Http2FrameTypes.GO_AWAY -> isGoAway = true;
        default -> {}
      }
    }
    context.write(message, control == 0 ? promise : counted(context, control, promise));
    if (isGoAway) {
      onGoAway(context);
    }
  }

  private ChannelPromise counted(
      ChannelHandlerContext context, int frames, ChannelPromise promise) {
    unreadFrames += frames;
    if (unreadFrames > UNREAD_FRAMES_MAX && !isEnding) {
      isEnding = true;
      // Not here: the codec may be on the stack, still handling what it read.
      context
          .executor()
          .execute(() ->
              end(
                  context,
                  "HTTP/2 flood: "
                      + peer.text
                      + " does not read the answers to its control frames; "
                      + UNREAD_FRAMES_MAX
                      + " of them are queued"));
    }
    return promise.unvoid().addListener(written -> unreadFrames -= frames);
  }

  /**
   * Ends the connection soon. The codec would wait half a minute for the peer to read the GOAWAY,
   * and keep reading meanwhile.
   */
  private void onGoAway(ChannelHandlerContext context) {
    if (peer == FrameMeter.Peer.SERVER && !isEnding) {
      endReading(context);
      closeLater(context);
    }
  }

  // --- the end ---

  private void end(ChannelHandlerContext context, String why) {
    endReading(context);
    ByteBuf text = ByteBufUtil.writeUtf8(context.alloc(), why);
    context.writeAndFlush(Unpooled.wrappedBuffer(goAwayHeader(context, text), text));
    onFlood.accept(why);
    context.close();
  }

  private void endReading(ChannelHandlerContext context) {
    isEnding = true;
    frames.release();
    turns.end();
    context.channel().config().setAutoRead(false);
  }

  /** GOAWAY with ENHANCE_YOUR_CALM and the reason as debug data (RFC 9113, section 6.8). */
  private static ByteBuf goAwayHeader(ChannelHandlerContext context, ByteBuf text) {
    int fixedBytes = 8;
    return context
        .alloc()
        .buffer(HEADER_BYTES + fixedBytes)
        .writeMedium(fixedBytes + text.readableBytes())
        .writeByte(Http2FrameTypes.GO_AWAY)
        .writeByte(0)
        .writeInt(0)
        .writeInt(Integer.MAX_VALUE)
        .writeInt((int) Http2Error.ENHANCE_YOUR_CALM.code());
  }

  private static void closeLater(ChannelHandlerContext context) {
    var timeout =
        context
            .executor()
            .schedule(() -> context.close(), GOAWAY_TIMEOUT_MS, TimeUnit.MILLISECONDS);
    context.channel().closeFuture().addListener((ChannelFuture closed) -> timeout.cancel(false));
  }
}
