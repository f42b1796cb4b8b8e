package dev.waymark.telemetry;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Standard output or standard error behind a bounded queue and a writer thread, so that no other
 * thread ever waits for a reader that has stopped, a full disk or a paused terminal. What does not
 * fit is dropped and counted. Thread-safe; no method but {@link #drain} waits, and none throws.
 *
 * <p>Two byte arrays take turns: lines are appended to one while the writer writes the other.
 */
public final class OutputQueue extends OutputStream {
  /** Bytes that wait, at most; the writer holds as many again. */
  public static final int BYTES_MAX = 1024 * 1024;

  /** Arrays up to this size are kept. */
  private static final int KEPT_BYTES = 16 * 1024;

  /** A channel copies what it is given: this much at a time. */
  private static final int PIECE_BYTES = 64 * 1024;

  /** Until a write that failed is tried again. */
  private static final long RETRY_NS = TimeUnit.MILLISECONDS.toNanos(100);

  /**
   * Between two writes: what comes meanwhile leaves with one system call, and those who print need
   * not wake the writer.
   */
  private static final long GATHER_NS = TimeUnit.MILLISECONDS.toNanos(1);

  private final WritableByteChannel channel;
  private final String threadName;
  private final ReentrantLock lock = new ReentrantLock();

  /** For the writer while it has nothing to do. */
  private final Condition filled = lock.newCondition();

  /** For the writer while it pauses. */
  private final Condition ending = lock.newCondition();

  /** For those who wait for the last bytes. */
  private final Condition written = lock.newCondition();

  private byte[] waiting = new byte[KEPT_BYTES];
  private int waitingBytes;
  private volatile boolean isFailing;
  private boolean isWriting;
  private boolean isEnding;
  private boolean isRunning;
  private long droppedCount;
  private long untoldCount;
  private @Nullable LongConsumer dropListener;

  /**
   * A queue in front of a channel that may block.
   *
   * @param threadName of the writer, which starts with the first byte
   */
  OutputQueue(WritableByteChannel channel, String threadName) {
    this.channel = channel;
    this.threadName = threadName;
  }

  /** A queue in front of one of the process's standard descriptors. */
  public static OutputQueue of(FileDescriptor descriptor, String threadName) {
    return new OutputQueue(new FileOutputStream(descriptor).getChannel(), threadName);
  }

  // --- inputs ---

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  /** Takes all of it, or drops all of it. */
  @Override
  public void write(byte[] bytes, int offset, int length) {
    lock.lock();
    try {
      if (length > BYTES_MAX - waitingBytes) {
        droppedCount++;
        untoldCount++;
        return;
      }
      if (waiting.length - waitingBytes < length) {
        int doubled = Math.max(2 * waiting.length, waitingBytes + length);
        waiting = Arrays.copyOf(waiting, Math.min(BYTES_MAX, doubled));
      }
      System.arraycopy(bytes, offset, waiting, waitingBytes, length);
      waitingBytes += length;
      if (!isRunning) {
        isRunning = true;
        Thread.ofPlatform().daemon().name(threadName).start(this::run);
      }
      filled.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Nothing: the writer never delays what it can write. */
  @Override
  public void flush() {}

  /** Nothing: a standard descriptor stays open as long as the process. */
  @Override
  public void close() {}

  /**
   * Whom the writer tells how many writes were dropped since it last told, when output works again.
   * May itself print here.
   */
  public void onDropped(LongConsumer listener) {
    lock.lock();
    try {
      dropListener = listener;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until everything is written, at most for so long; to be called before the process ends.
   * From now on a write that fails is not tried again.
   */
  public void drain(Duration bound) {
    long leftNs = bound.toNanos();
    lock.lock();
    try {
      isEnding = true;
      ending.signalAll();
      while (leftNs > 0 && (waitingBytes > 0 || isWriting)) {
        leftNs = written.awaitNanos(leftNs);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  // --- outputs ---

  /** Writes that were dropped: lines, as far as whoever printed wrote line by line. */
  public long droppedCount() {
    lock.lock();
    try {
      return droppedCount;
    } finally {
      lock.unlock();
    }
  }

  /** Whether something was dropped, or cannot be written at present. */
  public boolean isLost() {
    lock.lock();
    try {
      return droppedCount > 0 || waitingBytes > 0 || isFailing;
    } finally {
      lock.unlock();
    }
  }

  int waitingBytes() {
    lock.lock();
    try {
      return waitingBytes;
    } finally {
      lock.unlock();
    }
  }

  // --- the writer's thread ---

  private void run() {
    byte[] spare = new byte[KEPT_BYTES];
    while (true) {
      byte[] taken;
      int length;
      long untold;
      LongConsumer listener;
      lock.lock();
      try {
        while (waitingBytes == 0) {
          filled.awaitUninterruptibly();
        }
        isWriting = true;
        taken = waiting;
        length = waitingBytes;
        waiting = spare;
        waitingBytes = 0;
        listener = dropListener;
        untold = listener == null ? 0 : untoldCount;
        untoldCount -= untold;
      } finally {
        lock.unlock();
      }
      // Before the long write, so that the notice stands about where lines are missing.
      if (untold > 0 && listener != null) {
        listener.accept(untold);
      }
      writeAll(ByteBuffer.wrap(taken, 0, length));
      spare = taken.length <= KEPT_BYTES ? taken : new byte[KEPT_BYTES];
      onWritten();
    }
  }

  private void onWritten() {
    lock.lock();
    try {
      isWriting = false;
      written.signalAll();
      pause(GATHER_NS);
    } finally {
      lock.unlock();
    }
  }

  private void writeAll(ByteBuffer bytes) {
    int end = bytes.limit();
    while (bytes.position() < end) {
      bytes.limit(Math.min(end, bytes.position() + PIECE_BYTES));
      int count = write(bytes);
      if (count <= 0 && !awaitRetry(count < 0)) {
        return;
      }
    }
  }

  /** How much the channel took: 0 where it is non-blocking and full, -1 where it fails. */
  private int write(ByteBuffer bytes) {
    try {
      int count = channel.write(bytes);
      isFailing = count <= 0;
      return count;
    } catch (IOException unwritable) {
      isFailing = true;
      return -1;
    }
  }

  /** Whether to try again: at the end of the process only where somebody may be reading. */
  private boolean awaitRetry(boolean hasFailed) {
    lock.lock();
    try {
      pause(RETRY_NS);
      if (!isEnding || hasFailed) {
        return !isEnding;
      }
    } finally {
      lock.unlock();
    }
    LockSupport.parkNanos(GATHER_NS);
    return true;
  }

  /** With the lock, which is free meanwhile; the end of the process ends it. */
  private void pause(long ns) {
    long leftNs = ns;
    try {
      while (leftNs > 0 && !isEnding) {
        leftNs = ending.awaitNanos(leftNs);
      }
    } catch (InterruptedException e) {
      // Nobody interrupts the writer.
      Thread.currentThread().interrupt();
    }
  }
}
