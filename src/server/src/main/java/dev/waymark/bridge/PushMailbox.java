package dev.waymark.bridge;

import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl.Push;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Pushes on their way to the shard that holds their connections. Thread-safe: any shard offers, the
 * owner takes.
 */
final class PushMailbox {
  /** Where so much waits to be taken, the sender is told FULL. */
  private static final long BYTES_MAX = 4L * 1024 * 1024;

  /** What each push counts besides its bytes. */
  private static final int PUSH_OVERHEAD_BYTES = 256;

  /** So many are taken in a turn, so that clients have theirs. */
  private static final int TURN_COUNT_MAX = 1_000;

  /**
   * One push.
   *
   * @param pool of the lane on which it came
   * @param reply told what became of it, on the owner's thread
   */
  record PendingPush(String pool, Push push, Consumer<PushResult> reply) {
    private long bytes() {
      return (long) push.payload().length + PUSH_OVERHEAD_BYTES;
    }
  }

  private final ConcurrentLinkedQueue<PendingPush> pending = new ConcurrentLinkedQueue<>();
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicBoolean isOwnerCalled = new AtomicBoolean();
  private final Runnable callOwner;

  /**
   * @param callOwner asks for one {@link #take} on the owner's thread; any thread
   */
  PushMailbox(Runnable callOwner) {
    this.callOwner = callOwner;
  }

  /** Any thread. False: it is full, and the push was not taken. */
  boolean offer(PendingPush push) {
    if (bytes.addAndGet(push.bytes()) > BYTES_MAX) {
      bytes.addAndGet(-push.bytes());
      return false;
    }
    pending.add(push);
    callOnce();
    return true;
  }

  /** The owner's thread: gives a turn's share of what has come, in order. */
  void take(Consumer<PendingPush> action) {
    isOwnerCalled.set(false);
    for (int count = 0; count < TURN_COUNT_MAX; count++) {
      PendingPush next = pending.poll();
      if (next == null) {
        return;
      }
      bytes.addAndGet(-next.bytes());
      action.accept(next);
    }
    callOnce();
  }

  private void callOnce() {
    if (!isOwnerCalled.getAndSet(true)) {
      callOwner.run();
    }
  }
}
