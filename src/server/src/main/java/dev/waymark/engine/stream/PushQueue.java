package dev.waymark.engine.stream;

import dev.waymark.engine.base.Limits;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.PushResult.Outcome;
import dev.waymark.protocol.UpstreamControl.Push;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The queue of pushes to one connection (rule 6). They are written between replies, and wait here
 * until then. Created with the first push. Confined to its shard's thread.
 */
final class PushQueue {
  /** When this many wait, another push is answered with FULL, however small. */
  static final int COUNT_MAX = 1_000;

  /**
   * @param reply gets the result, once, on this thread
   */
  private record Waiting(Push push, Consumer<PushResult> reply, long deadlineNs) {
    void answer(Outcome outcome) {
      reply.accept(PushResult.of(push.id(), outcome));
    }
  }

  private final ReplyStream replies;
  private final ReplyDelivery delivery;
  private final Limits limits;
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>(4);
  private long waitingBytes;

  PushQueue(ReplyStream replies, ReplyDelivery delivery, Limits limits) {
    this.replies = replies;
    this.delivery = delivery;
    this.limits = limits;
  }

  // --- inputs ---

  /**
   * A push that may be written to this connection, now or later.
   *
   * @param epoch the connection's current epoch
   * @param isOverBudget whether the process is over its memory budget
   * @return whether a flush has become due
   */
  boolean offer(
      long nowNs, Push push, Consumer<PushResult> reply, int epoch, boolean isOverBudget) {
    Waiting offered = new Waiting(push, reply, nowNs + limits.pushWaitNs());
    long heldBytes = waitingBytes + delivery.pushedBytes();
    boolean isFull =
        heldBytes + push.payload().length > limits.pushBytesMax() || waiting.size() >= COUNT_MAX;
    if (push.isFencedIn(epoch)) {
      offered.answer(Outcome.FENCED);
    } else if (isFull || isOverBudget) {
      reply.accept(PushResult.full(push.id(), heldBytes));
    } else if (replies.isBetweenReplies()) {
      return write(offered);
    } else {
      waiting.add(offered);
      waitingBytes += push.payload().length;
    }
    return false;
  }

  /**
   * A reply has ended: writes the waiting pushes.
   *
   * @return whether a flush has become due
   */
  boolean onReplyEnd() {
    boolean isFlushDue = false;
    for (Waiting next = poll(); next != null; next = poll()) {
      isFlushDue |= write(next);
    }
    return isFlushDue;
  }

  /** Answers those that have waited too long with EXPIRED. */
  void onDeadline(long nowNs) {
    Waiting first = waiting.peek();
    while (first != null && first.deadlineNs - nowNs <= 0) {
      poll();
      first.answer(Outcome.EXPIRED);
      first = waiting.peek();
    }
  }

  /** The connection has a new epoch: pushes that name another are answered with FENCED. */
  void onEpoch(int epoch) {
    for (int left = waiting.size(); left > 0; left--) {
      Waiting next = waiting.remove();
      if (next.push.isFencedIn(epoch)) {
        waitingBytes -= next.push.payload().length;
        next.answer(Outcome.FENCED);
      } else {
        waiting.add(next);
      }
    }
  }

  /** Nothing more is written to the client: answers all that wait with GONE. */
  void onEnd(@Nullable CloseReason reason, long closedUnixMs) {
    for (Waiting next = poll(); next != null; next = poll()) {
      next.reply.accept(PushResult.gone(next.push.id(), reason, closedUnixMs));
    }
  }

  // --- outputs ---

  boolean isWaiting() {
    return !waiting.isEmpty();
  }

  /** When the first one expires; only while any waits. */
  long deadlineNs() {
    return waiting.element().deadlineNs;
  }

  /** The memory of the waiting pushes. */
  long heldBytes() {
    return waitingBytes + (long) waiting.size() * limits.bufferOverheadBytes();
  }

  private @Nullable Waiting poll() {
    Waiting next = waiting.poll();
    if (next != null) {
      waitingBytes -= next.push.payload().length;
    }
    return next;
  }

  private boolean write(Waiting next) {
    byte[] payload = next.push.payload();
    boolean isFirst = payload.length > 0 && delivery.push(Unpooled.wrappedBuffer(payload));
    next.answer(Outcome.WRITTEN);
    return isFirst;
  }
}
