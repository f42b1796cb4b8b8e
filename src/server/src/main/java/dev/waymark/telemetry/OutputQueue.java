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
 * thread ever waits for a reader that has stopped, a full disk or a paused terminal. Output that
 * does not fit is dropped and counted. Thread-safe; only {@link #drain} blocks, and no method
 * throws.
 *
 * <p>Uses two byte arrays alternately: lines are appended to one while the writer writes the other.
 */
public final class OutputQueue extends OutputStream {
  /** The maximum number of queued bytes; the writer may hold as many again. */
  public static final int BYTES_MAX = 1024 * 1024;

  /** Arrays up to this size are reused. */
  private static final int REUSED_BYTES = 16 * 1024;

  /** The most bytes passed to the channel at once, since it copies them. */
  private static final int CHUNK_BYTES = 64 * 1024;

  /** The delay before a failed write is retried. */
  private static final long RETRY_NS = TimeUnit.MILLISECONDS.toNanos(100);

  /**
   * The pause between two writes: output printed meanwhile needs only one system call, and printing
   * threads need not wake the writer.
   */
  private static final long GATHER_NS = TimeUnit.MILLISECONDS.toNanos(1);

  private final WritableByteChannel channel;
  private final String threadName;
  private final ReentrantLock lock = new ReentrantLock();

  /** The writer waits for it while the queue is empty. */
  private final Condition filled = lock.newCondition();

  /** The writer waits for it while it pauses. */
  private final Condition ending = lock.newCondition();

  /** Callers of {@link #drain} wait for it. */
  private final Condition written = lock.newCondition();

  private byte[] waiting = new byte[REUSED_BYTES];
  private int waitingBytes;
  private volatile boolean isFailing;
  private boolean isWriting;
  private boolean isEnding;
  private boolean isRunning;
  private long droppedCount;
  private long unreportedCount;
  private @Nullable LongConsumer dropListener;

  /**
   * Creates a queue in front of a channel that may block.
   *
   * @param threadName of the writer thread, which starts at the first write
   */
  OutputQueue(WritableByteChannel channel, String threadName) {
    this.channel = channel;
    this.threadName = threadName;
  }

  /** Creates a queue in front of one of the process's standard descriptors. */
  public static OutputQueue of(FileDescriptor descriptor, String threadName) {
    return new OutputQueue(new FileOutputStream(descriptor).getChannel(), threadName);
  }

  // --- inputs ---

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  /** Queues all of it, or drops all of it. */
  @Override
  public void write(byte[] bytes, int offset, int length) {
    lock.lock();
    try {
      if (length > BYTES_MAX - waitingBytes) {
        droppedCount++;
        unreportedCount++;
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

  /** Does nothing: the writer writes everything as soon as it can. */
  @Override
  public void flush() {}

  /** Does nothing: a standard descriptor stays open as long as the process runs. */
  @Override
  public void close() {}

  /**
   * Sets a listener that the writer calls, once output works again, with the number of writes
   * dropped since the last call. The listener may print to this queue.
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
   * Waits until everything is written, but no longer than this bound. Must be called before the
   * process ends. From now on a failed write is not retried.
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

  /** Returns the number of dropped writes: lines, if callers write line by line. */
  public long droppedCount() {
    lock.lock();
    try {
      return droppedCount;
    } finally {
      lock.unlock();
    }
  }

  /** Whether output was dropped, is still queued, or cannot be written at the moment. */
  public boolean hasLostOutput() {
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
    byte[] spare = new byte[REUSED_BYTES];
    while (true) {
      byte[] taken;
      int length;
      long unreported;
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
        unreported = listener == null ? 0 : unreportedCount;
        unreportedCount -= unreported;
      } finally {
        lock.unlock();
      }
      // Before the long write, so that the notice appears near the gap.
      if (unreported > 0 && listener != null) {
        listener.accept(unreported);
      }
      writeAll(ByteBuffer.wrap(taken, 0, length));
      spare = taken.length <= REUSED_BYTES ? taken : new byte[REUSED_BYTES];
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
      bytes.limit(Math.min(end, bytes.position() + CHUNK_BYTES));
      int count = write(bytes);
      if (count <= 0 && !awaitRetry(count < 0)) {
        return;
      }
    }
  }

  /** Returns how many bytes the channel accepted: 0 if non-blocking and full, -1 if it failed. */
  private int write(ByteBuffer bytes) {
    try {
      int count = channel.write(bytes);
      isFailing = count <= 0;
      return count;
    } catch (IOException failure) {
      isFailing = true;
      return -1;
    }
  }

  /**
   * Pauses, and returns whether to retry: while draining, only if the channel may have a reader.
   */
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

  /** Pauses without the lock, which the caller holds. {@link #drain} ends the pause. */
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
