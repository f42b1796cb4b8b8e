package dev.waymark.upstream;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets one thread at a time into a lane. A thread that brings work never waits: if another thread
 * is inside, that one does the work before it leaves. So a handler of one lane may send on another
 * without a deadlock. Thread-safe.
 *
 * <p>Those who bring work bound it, see {@link UpstreamOptions#queueBytesMax}.
 */
final class LaneMailbox {
  private final ReentrantLock lock = new ReentrantLock();
  private final ConcurrentLinkedQueue<Runnable> work = new ConcurrentLinkedQueue<>();
  private final Runnable onTurnEnd;

  /**
   * @param onTurnEnd called inside, before the thread leaves
   */
  LaneMailbox(Runnable onTurnEnd) {
    this.onTurnEnd = onTurnEnd;
  }

  /** Waits until no other thread is inside, then does what was brought before. */
  void enter() {
    lock.lock();
    drain();
  }

  /** Leaves; ends the turn if this was the outermost entry. */
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

  /** Runs the task now, inside, or leaves it to the thread that is inside. */
  void execute(Runnable task) {
    if (lock.isHeldByCurrentThread()) {
      task.run();
    } else {
      executeLast(task);
    }
  }

  /**
   * Runs the task inside, behind everything brought before: at the end of the turn if this thread
   * is inside.
   */
  void executeLast(Runnable task) {
    work.add(task);
    if (!lock.isHeldByCurrentThread()) {
      runPending();
    }
  }

  boolean isHeld() {
    return lock.isHeldByCurrentThread();
  }

  private void runPending() {
    while (!work.isEmpty() && lock.tryLock()) {
      try {
        drain();
        onTurnEnd.run();
      } finally {
        lock.unlock();
      }
    }
  }

  private void drain() {
    @Nullable Runnable next = work.poll();
    while (next != null) {
      next.run();
      next = work.poll();
    }
  }
}
