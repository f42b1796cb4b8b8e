package dev.waymark.upstream;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets one thread at a time into a lane. A thread that submits a task never waits: if another
 * thread is inside, that thread runs the task before it leaves. So a handler of one lane can send
 * on another lane without a deadlock. Thread-safe.
 *
 * <p>The queue is unbounded; callers limit what they submit, see {@link
 * UpstreamOptions#queueBytesMax}.
 */
final class LaneMailbox {
  private final ReentrantLock lock = new ReentrantLock();
  private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final Runnable onTurnEnd;

  /**
   * @param onTurnEnd called inside the lane, before a thread leaves
   */
  LaneMailbox(Runnable onTurnEnd) {
    this.onTurnEnd = onTurnEnd;
  }

  /** Waits until no other thread is inside, enters, and runs the tasks submitted before. */
  void enter() {
    lock.lock();
    drain();
  }

  /** Leaves the lane. Ends the turn if this was the outermost entry. */
  void exit() {
    boolean isOutermost = lock.getHoldCount() == 1;
    try {
      if (isOutermost) {
        drain();
        onTurnEnd.run();
      }
    } finally {
      lock.unlock();
    }
    if (isOutermost) {
      runPending();
    }
  }

  /** Runs a task inside the lane: now, or on the thread that is inside. */
  void execute(Runnable task) {
    if (lock.isHeldByCurrentThread()) {
      task.run();
    } else {
      executeLast(task);
    }
  }

  /**
   * Runs a task inside the lane, after all tasks submitted before: at the end of the turn if this
   * thread is inside.
   */
  void executeLast(Runnable task) {
    tasks.add(task);
    if (!lock.isHeldByCurrentThread()) {
      runPending();
    }
  }

  boolean isHeld() {
    return lock.isHeldByCurrentThread();
  }

  private void runPending() {
    while (!tasks.isEmpty() && lock.tryLock()) {
      try {
        drain();
        onTurnEnd.run();
      } finally {
        lock.unlock();
      }
    }
  }

  private void drain() {
    @Nullable Runnable next = tasks.poll();
    while (next != null) {
      next.run();
      next = tasks.poll();
    }
  }
}
