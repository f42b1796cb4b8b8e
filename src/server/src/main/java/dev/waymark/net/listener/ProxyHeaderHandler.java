package dev.waymark.net.listener;

import dev.waymark.protocol.ProxyFacts;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads the PROXY header at the start of a client's stream. A stage before {@link ClientHandler}:
 * it holds back {@code channelActive} until the client is ready, and then removes itself. Confined
 * to its event loop.
 *
 * <p>A header that names no client (LOCAL, UNKNOWN, UNSPEC), or the proxy itself (HAProxy's version
 * 1), is what load balancers send for health checks, and then they close. Upstreams should not see
 * these, so such a client is ready only when it sends a byte, or has stayed for a second: it may
 * wait for the server to speak first.
 */
final class ProxyHeaderHandler extends ChannelInboundHandlerAdapter {
  /** Told what became of the header, exactly once. */
  interface Outcome {
    /**
     * The client is ready. Returns whether it may stay: then {@code channelActive} follows;
     * otherwise the client gets an RST.
     */
    boolean onReady(ProxyFacts facts);

    /** The socket ended before any client spoke: a health check. */
    void onCheck();

    /**
     * The client is closed for this reason.
     *
     * @param detail what is wrong with the header; empty where the reason says it all
     */
    void onRefused(RefusalReason reason, String detail);
  }

  private enum Phase {
    HEADER,
    /** The header named no client; it may be a health check. */
    CHECK,
    OVER
  }

  /** How long to wait for a byte where the header named no client. */
  static final long CHECK_NS = TimeUnit.SECONDS.toNanos(1);

  private final String proxyAddress;
  private final LongSupplier clockNs;
  private final long timeoutNs;
  private final Outcome outcome;
  private Phase phase = Phase.HEADER;
  private @Nullable ProxyFacts facts;
  private @Nullable ByteBuf partial;
  private @Nullable ScheduledFuture<?> timer;
  private long deadlineNs;

  /**
   * @param proxyAddress the host:port of the peer
   * @param clockNs the loop's clock, which stops with the loop: after a standstill, what came
   *     meanwhile is read before time is up
   * @param timeoutNs for the whole header, from the accept on
   */
  ProxyHeaderHandler(String proxyAddress, LongSupplier clockNs, long timeoutNs, Outcome outcome) {
    this.proxyAddress = proxyAddress;
    this.clockNs = clockNs;
    this.timeoutNs = timeoutNs;
    this.outcome = outcome;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    startTimer(context, timeoutNs);
  }

  private void startTimer(ChannelHandlerContext context, long afterNs) {
    stopTimer();
    deadlineNs = clockNs.getAsLong() + afterNs;
    schedule(context, afterNs);
  }

  private void schedule(ChannelHandlerContext context, long afterNs) {
    timer = context.executor().schedule(() -> onTimer(context), afterNs, TimeUnit.NANOSECONDS);
  }

  private void stopTimer() {
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
  }

  private void onTimer(ChannelHandlerContext context) {
    long leftNs = deadlineNs - clockNs.getAsLong();
    if (leftNs > 0) {
      schedule(context, leftNs);
      return;
    }
    switch (phase) {
      case HEADER -> refuse(context, RefusalReason.PROXY_HEADER_TIMEOUT);
      case CHECK -> probe(context);
      case OVER -> {}
    }
  }

  /**
   * Looks whether the peer is still there: on io_uring, Netty 4.2.18 misses an RST that follows
   * data at once, until the next write, and a health check may end with just that.
   */
  private void probe(ChannelHandlerContext context) {
    context
        .writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(probed -> {
          if (phase == Phase.CHECK) {
            if (probed.isSuccess()) {
              ready(context, null);
            } else {
              onEnd(context);
            }
          }
        });
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    switch (phase) {
      case HEADER -> readHeader(context, bytes);
      case CHECK -> ready(context, bytes);
      case OVER -> bytes.release();
    }
  }

  private void readHeader(ChannelHandlerContext context, ByteBuf bytes) {
    ByteBuf head = partial;
    partial = null;
    ByteBuf whole = head == null ? bytes : joined(context, head, bytes);
    ProxyFacts read;
    try {
      int length = ProxyHeader.length(whole);
      if (length < 0) {
        keep(context, whole);
        return;
      }
      byte[] header = new byte[length];
      whole.readBytes(header);
      read = ProxyHeader.read(header, proxyAddress);
    } catch (ProxyHeaderException bad) {
      whole.release();
      refuse(context, bad.reason(), bad.detail());
      return;
    }
    facts = read;
    if (whole.isReadable()) {
      ready(context, whole);
      return;
    }
    whole.release();
    if (read.sourceAddress().isEmpty() || read.sourceAddress().equals(proxyAddress)) {
      phase = Phase.CHECK;
      startTimer(context, CHECK_NS);
    } else {
      ready(context, null);
    }
  }

  private static ByteBuf joined(ChannelHandlerContext context, ByteBuf head, ByteBuf tail) {
    try {
      int bytes = head.readableBytes() + tail.readableBytes();
      return context.alloc().buffer(bytes).writeBytes(head).writeBytes(tail);
    } finally {
      head.release();
      tail.release();
    }
  }

  /** Keeps the start of a header, as a copy: the read buffer may be much larger. */
  private void keep(ChannelHandlerContext context, ByteBuf start) {
    try {
      if (start.isReadable()) {
        partial = context.alloc().buffer(start.readableBytes()).writeBytes(start);
      }
    } finally {
      start.release();
    }
  }

  private void ready(ChannelHandlerContext context, @Nullable ByteBuf first) {
    phase = Phase.OVER;
    stopTimer();
    if (facts != null && !outcome.onReady(facts)) {
      if (first != null) {
        first.release();
      }
      context.channel().config().setOption(ChannelOption.SO_LINGER, 0);
      context.close();
      return;
    }
    context.fireChannelActive();
    if (first != null) {
      context.fireChannelRead(first);
    }
    context.pipeline().remove(this);
  }

  private void refuse(ChannelHandlerContext context, RefusalReason reason) {
    refuse(context, reason, "");
  }

  private void refuse(ChannelHandlerContext context, RefusalReason reason, String detail) {
    phase = Phase.OVER;
    stopTimer();
    outcome.onRefused(reason, detail);
    context.close();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE) {
      onEnd(context);
    } else {
      context.fireUserEventTriggered(event);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (cause instanceof IOException) {
      onEnd(context);
    } else {
      phase = Phase.OVER;
      context.fireExceptionCaught(cause);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    onEnd(context);
    context.fireChannelInactive();
  }

  /** The peer will send no more. */
  private void onEnd(ChannelHandlerContext context) {
    if (phase == Phase.HEADER && partial != null) {
      refuse(context, RefusalReason.PROXY_HEADER_INCOMPLETE);
    } else if (phase != Phase.OVER) {
      phase = Phase.OVER;
      stopTimer();
      outcome.onCheck();
      context.close();
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    stopTimer();
    if (partial != null) {
      partial.release();
      partial = null;
    }
  }
}
