package dev.waymark.protocol.http2;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/**
 * Passes on what a peer sent for at most {@link #TURN_NS} in a turn of the event loop, so that one
 * peer cannot starve the others on the loop: the smallest valid messages cost a thousand times
 * their bytes. The rest waits for the next turn, and meanwhile nothing is read from the socket.
 * Confined to the event loop of its channel.
 */
final class ReadTurns {
  /** A turn ends with the first buffer that exceeds it. */
  static final long TURN_NS = TimeUnit.MILLISECONDS.toNanos(2);

  /** The most bytes passed on at once: what a channel reads at once. */
  static final int BUFFER_BYTES_MAX = 64 * 1024;

  /** The fewest: a DATA frame takes four of them. */
  static final int BUFFER_BYTES_MIN = 4 * 1024;

  private final ArrayDeque<ByteBuf> waiting = new ArrayDeque<>();
  private int bufferBytes = BUFFER_BYTES_MAX;
  private long busyNs;
  private boolean isPaused;
  private boolean isEnded;

  /**
   * Bytes came.
   *
   * @param owned handed on now or later, or released
   */
  void onRead(ChannelHandlerContext context, ByteBuf owned) {
    waiting.add(owned);
    if (!isPaused) {
      handOn(context);
    }
  }

  /** The loop goes on to others; what comes next comes in another turn. */
  void onReadComplete() {
    if (!isPaused) {
      busyNs = 0;
    }
  }

  /** Whether nothing is to be read from the socket. */
  boolean isPaused() {
    return isPaused;
  }

  /** The peer has closed: what it sent before is handed on now. */
  void onInactive(ChannelHandlerContext context) {
    while (!waiting.isEmpty()) {
      handOnBuffer(context);
    }
    end();
  }

  /** Nothing more is handed on. */
  void end() {
    isEnded = true;
    isPaused = false;
    waiting.forEach(ByteBuf::release);
    waiting.clear();
  }

  private void handOn(ChannelHandlerContext context) {
    while (!waiting.isEmpty() && busyNs < TURN_NS) {
      handOnBuffer(context);
    }
    if (busyNs >= TURN_NS && !isEnded) {
      isPaused = true;
      context.channel().config().setAutoRead(false);
      // Those that are due now are run once between two looks at the sockets.
      var unused = context.executor().schedule(() -> resume(context), 0, TimeUnit.NANOSECONDS);
    }
  }

  private void resume(ChannelHandlerContext context) {
    if (isEnded) {
      return;
    }
    isPaused = false;
    busyNs = 0;
    handOn(context);
    // Flushes what answers them.
    context.fireChannelReadComplete();
    if (!isPaused && !isEnded) {
      context.channel().config().setAutoRead(true);
    }
  }

  private void handOnBuffer(ChannelHandlerContext context) {
    ByteBuf buffer = nextBuffer();
    long startNs = context.executor().ticker().nanoTime();
    context.fireChannelRead(buffer);
    long tookNs = context.executor().ticker().nanoTime() - startNs;
    busyNs += tookNs;
    if (tookNs > TURN_NS) {
      bufferBytes = Math.max(BUFFER_BYTES_MIN, bufferBytes / 2);
    } else if (tookNs < TURN_NS / 4) {
      bufferBytes = Math.min(BUFFER_BYTES_MAX, bufferBytes * 2);
    }
  }

  private ByteBuf nextBuffer() {
    ByteBuf first = waiting.element();
    if (first.readableBytes() <= bufferBytes) {
      return waiting.remove();
    }
    return first.readRetainedSlice(bufferBytes);
  }
}
