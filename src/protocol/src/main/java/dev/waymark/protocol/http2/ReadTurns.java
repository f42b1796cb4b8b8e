package dev.waymark.protocol.http2;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/**
 * Forwards what a peer sent for at most {@link #TURN_NS} per turn of the event loop, so that one
 * peer cannot starve the others on the loop: per byte, the smallest valid messages are a thousand
 * times as expensive as large ones. The rest waits for the next turn, and meanwhile the socket is
 * not read. Confined to the event loop of its channel.
 */
final class ReadTurns {
  /** The time limit of a turn. The buffer that exceeds it is the last of the turn. */
  static final long TURN_NS = TimeUnit.MILLISECONDS.toNanos(2);

  /** The most bytes to forward at once: what a channel reads at once. */
  static final int BUFFER_BYTES_MAX = 64 * 1024;

  /** The fewest bytes to forward at once: a quarter of the largest DATA frame. */
  static final int BUFFER_BYTES_MIN = 4 * 1024;

  private final ArrayDeque<ByteBuf> waiting = new ArrayDeque<>();
  private int bufferBytes = BUFFER_BYTES_MAX;
  private long busyNs;
  private boolean isPaused;
  private boolean isEnded;

  /**
   * Called with bytes from the peer.
   *
   * @param owned forwarded now or later, or released
   */
  void onRead(ChannelHandlerContext context, ByteBuf owned) {
    waiting.add(owned);
    if (!isPaused) {
      forward(context);
    }
  }

  /** Called when the loop moves on to other channels: what follows belongs to another turn. */
  void onReadComplete() {
    if (!isPaused) {
      busyNs = 0;
    }
  }

  /** Whether the socket must not be read. */
  boolean isPaused() {
    return isPaused;
  }

  /** Called when the channel is closed. Forwards at once what the peer sent before. */
  void onInactive(ChannelHandlerContext context) {
    while (!waiting.isEmpty()) {
      forwardBuffer(context);
    }
    end();
  }

  /** Forwards nothing more and releases what is waiting. */
  void end() {
    isEnded = true;
    isPaused = false;
    waiting.forEach(ByteBuf::release);
    waiting.clear();
  }

  private void forward(ChannelHandlerContext context) {
    while (!waiting.isEmpty() && busyNs < TURN_NS) {
      forwardBuffer(context);
    }
    if (busyNs >= TURN_NS && !isEnded) {
      isPaused = true;
      context.channel().config().setAutoRead(false);
      // A scheduled task that is due runs once between two polls of the sockets.
      var unused = context.executor().schedule(() -> resume(context), 0, TimeUnit.NANOSECONDS);
    }
  }

  private void resume(ChannelHandlerContext context) {
    if (isEnded) {
      return;
    }
    isPaused = false;
    busyNs = 0;
    forward(context);
    // Lets the codec flush its answers.
    context.fireChannelReadComplete();
    if (!isPaused && !isEnded) {
      context.channel().config().setAutoRead(true);
    }
  }

  private void forwardBuffer(ChannelHandlerContext context) {
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
