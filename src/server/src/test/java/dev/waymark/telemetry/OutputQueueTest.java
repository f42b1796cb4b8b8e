package dev.waymark.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
final class OutputQueueTest {
  /** A pipe whose reader may have stopped, or that may fail. */
  private static final class Pipe implements WritableByteChannel {
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final CountDownLatch isRead;
    private volatile boolean isBroken;
    private volatile int maxBytesPerWrite = Integer.MAX_VALUE;

    Pipe(boolean isRead) {
      this.isRead = new CountDownLatch(isRead ? 0 : 1);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      try {
        isRead.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      if (isBroken) {
        throw new IOException("No space left on device");
      }
      byte[] bytes = new byte[Math.min(maxBytesPerWrite, source.remaining())];
      source.get(bytes);
      synchronized (read) {
        read.writeBytes(bytes);
      }
      return bytes.length;
    }

    String text() {
      synchronized (read) {
        return read.toString(UTF_8);
      }
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  private Pipe pipe = new Pipe(true);
  private OutputQueue queue = new OutputQueue(pipe, "test-writer");

  private void pipe(boolean isRead) {
    pipe = new Pipe(isRead);
    queue = new OutputQueue(pipe, "test-writer");
  }

  private void print(String text) {
    queue.write(text.getBytes(UTF_8), 0, text.length());
  }

  @AfterEach
  void freeTheWriter() {
    pipe.isRead.countDown();
  }

  @Test
  void lines_ofOneThread_areWrittenInOrderBeforeTheEnd() {
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < 20_000; i++) {
      print("line " + i + "\n");
      all.append("line ").append(i).append('\n');
    }
    queue.drain(Duration.ofSeconds(10));
    assertThat(pipe.text()).hasToString(all.toString());
    assertThat(queue.droppedCount()).isZero();
  }

  @Test
  void pipe_unread_blocksNoCallerAndLosesOnlyWhatDoesNotFit() {
    pipe(false);
    AtomicLong reported = new AtomicLong();
    queue.onDropped(lines -> {
      reported.addAndGet(lines);
      print("dropped " + lines + "\n");
    });
    String line = "x".repeat(1023) + "\n";
    print(line);
    await("the writer's first write").until(() -> queue.waitingBytes() == 0);
    long startNs = System.nanoTime();
    for (int i = 1; i < 5_000; i++) {
      print(line);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - startNs)).isLessThan(Duration.ofSeconds(5));
    long dropped = queue.droppedCount();
    long kept = 5_000 - dropped;
    assertThat(kept * line.length())
        .isBetween((long) OutputQueue.BYTES_MAX, 2L * OutputQueue.BYTES_MAX);

    pipe.isRead.countDown();
    await().untilAsserted(() -> assertThat(reported).hasValue(dropped));
    queue.drain(Duration.ofSeconds(10));
    assertThat(pipe.text().lines().filter(line.strip()::equals)).hasSize((int) kept);
    assertThat(pipe.text()).endsWith("dropped " + dropped + "\n");
  }

  @Test
  void drain_ofAnUnreadPipe_endsInTime() {
    pipe(false);
    print("last words\n");
    long startNs = System.nanoTime();
    queue.drain(Duration.ofMillis(50));
    assertThat(System.nanoTime() - startNs)
        .isBetween(TimeUnit.MILLISECONDS.toNanos(50), TimeUnit.SECONDS.toNanos(5));
  }

  @Test
  void disk_fullForAWhile_losesOnlyWhatDoesNotFit() {
    pipe.isBroken = true;
    print("while it is full\n");
    await().until(() -> queue.waitingBytes() == 0);
    print("and later\n");
    pipe.isBroken = false;
    await().until(() -> pipe.text().equals("while it is full\nand later\n"));
  }

  @Test
  void drain_ofABrokenPipe_returnsAtOnce() {
    pipe.isBroken = true;
    print("never read\n");
    long startNs = System.nanoTime();
    queue.drain(Duration.ofSeconds(15));
    assertThat(System.nanoTime() - startNs).isLessThan(TimeUnit.SECONDS.toNanos(5));
  }

  @Test
  void drain_ofAFullNonBlockingDescriptor_waitsForItsReader() throws Exception {
    pipe.maxBytesPerWrite = 0;
    print("last words\n");
    await().until(() -> queue.waitingBytes() == 0);
    Thread drain = Thread.startVirtualThread(() -> queue.drain(Duration.ofSeconds(15)));
    await().until(() -> drain.getState() == Thread.State.TIMED_WAITING);
    pipe.maxBytesPerWrite = 4;
    drain.join();
    assertThat(pipe.text()).isEqualTo("last words\n");
  }

  @Test
  void descriptor_nonBlocking_receivesTheRestLater() {
    pipe.maxBytesPerWrite = 3;
    print("in small pieces\n");
    await().until(() -> pipe.text().equals("in small pieces\n"));
    pipe.maxBytesPerWrite = 0;
    print("and not now\n");
    await().until(() -> queue.waitingBytes() == 0);
    pipe.maxBytesPerWrite = 100;
    await().until(() -> pipe.text().endsWith("and not now\n"));
  }
}
