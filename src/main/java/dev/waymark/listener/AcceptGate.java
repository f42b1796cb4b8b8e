package dev.waymark.listener;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.EnumSet;
import java.util.concurrent.TimeUnit;

/**
 * Pauses accepting while there is a reason to. First in the server channel's pipeline, so that a failed accept comes here. Confined to
 * the port's event loop.
 */
final class AcceptGate extends ChannelInboundHandlerAdapter {
  enum Reason {
    /** accept failed: no descriptors, or none of the kernel's memory. */
    DESCRIPTORS,
    /** The process is over its memory budget. */
    MEMORY
  }

  /** After a failed accept the next try waits this long: closing connections give descriptors back meanwhile. */
  private static final long RETRY_MS = 250;

  private final Channel channel;
  private final String listener;
  private final ListenerCounters counters;
  private final ListenerEvents events;
  private final EnumSet<Reason> reasons = EnumSet.noneOf(Reason.class);

  AcceptGate(Channel channel, String listener, ListenerCounters counters, ListenerEvents events) {
    this.channel = channel;
    this.listener = listener;
    this.counters = counters;
    this.events = events;
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    String message = cause.getMessage();
    // Accepts that had been queued fail one after another: they are one pause.
    if (close(Reason.DESCRIPTORS, message == null ? cause.toString() : message)) {
      context.executor().schedule(() -> open(Reason.DESCRIPTORS), RETRY_MS, TimeUnit.MILLISECONDS);
    }
  }

  /** Returns false if it was closed for this reason already. */
  boolean close(Reason reason, String cause) {
    if (!reasons.add(reason)) {
      return false;
    }
    counters.pause();
    if (reasons.size() == 1) {
      channel.config().setAutoRead(false);
      events.onAcceptPaused(listener, cause);
    }
    return true;
  }

  void open(Reason reason) {
    if (reasons.remove(reason) && reasons.isEmpty() && channel.isOpen()) {
      events.onAcceptResumed(listener);
      channel.config().setAutoRead(true);
    }
  }
}
