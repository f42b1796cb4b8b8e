package dev.waymark.bridge;

import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl.Push;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Pushes on their way to the shard that holds their connections. Thread-safe: any shard offers, and
 * the owning shard takes.
 */
final class PushMailbox {
  /** Bytes that may wait to be taken; beyond that the sender gets FULL. */
  private static final long BYTES_MAX = 4L * 1024 * 1024;

  /** Counted for each push in addition to its payload. */
  private static final int PUSH_OVERHEAD_BYTES = 256;

  /** Pushes taken per turn of the event loop, at most, so that clients get their share. */
  private static final int TURN_COUNT_MAX = 1_000;

  /**
   * One push.
   *
   * @param pool pool of the lane on which it arrived
   * @param reply receives its result, on the owner's thread
   */
  record PendingPush(String pool, Push push, Consumer<PushResult> reply) {
    private long bytes() {
      return (long) push.payload().length + PUSH_OVERHEAD_BYTES;
    }
  }

  private final ConcurrentLinkedQueue<PendingPush> pending = new ConcurrentLinkedQueue<>();
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicBoolean isTakeRequested = new AtomicBoolean();
  private final Runnable requestTake;

  /**
   * @param requestTake requests one {@link #take} on the owner's thread; called on any thread
   */
  PushMailbox(Runnable requestTake) {
    this.requestTake = requestTake;
  }

  /** Adds a push; returns false if the mailbox is full and the push was not added. Any thread. */
  boolean offer(PendingPush push) {
    if (bytes.addAndGet(push.bytes()) > BYTES_MAX) {
      bytes.addAndGet(-push.bytes());
      return false;
    }
    pending.add(push);
    requestTakeOnce();
    return true;
  }

  /** Passes pushes to the action in order, at most one turn's share. The owner's thread. */
  void take(Consumer<PendingPush> action) {
    isTakeRequested.set(false);
    for (int count = 0; count < TURN_COUNT_MAX; count++) {
      PendingPush next = pending.poll();
      if (next == null) {
        return;
      }
      bytes.addAndGet(-next.bytes());
      action.accept(next);
    }
    requestTakeOnce();
  }

  private void requestTakeOnce() {
    if (!isTakeRequested.getAndSet(true)) {
      requestTake.run();
    }
  }
}
