package dev.waymark.e2e;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.IntStream;

/**
 * Clients that repeatedly send a request, check its reply and wait a little, each on a virtual
 * thread. Thread-safe.
 */
final class Load implements AutoCloseable {
  private final int requestBytes;
  private final long thinkMs;
  private final CountDownLatch over = new CountDownLatch(1);
  private final AtomicLong replies = new AtomicLong();
  private final AtomicLongArray longestNs;
  private final List<Clients.Background> loops;

  private Load(List<Client> clients, int requestBytes, long thinkMs) {
    this.requestBytes = requestBytes;
    this.thinkMs = thinkMs;
    this.longestNs = new AtomicLongArray(clients.size());
    this.loops =
        IntStream.range(0, clients.size())
            .mapToObj(i -> Clients.inBackground(() -> run(i, clients.get(i))))
            .toList();
  }

  /** Starts the load. Nothing else may use these clients until {@link #stop}. */
  static Load on(List<Client> clients, int requestBytes, long thinkMs) {
    return new Load(clients, requestBytes, thinkMs);
  }

  /** Returns the number of replies. */
  long replies() {
    return replies.get();
  }

  /** Forgets the pauses seen so far. */
  void forgetPauses() {
    IntStream.range(0, longestNs.length()).forEach(i -> longestNs.set(i, 0));
  }

  /** Returns the longest that any client waited for a reply. */
  Duration longestPause() {
    return pause(1);
  }

  /** Describes the distribution of each client's longest wait, for people. */
  String pauses() {
    return String.format(
        Locale.ROOT,
        "p50 %d ms, p99 %d ms, max %d ms of %d clients",
        pause(0.5).toMillis(),
        pause(0.99).toMillis(),
        pause(1).toMillis(),
        longestNs.length());
  }

  /** Ends the load once every client has its pending reply. Throws the first client's failure. */
  void stop() {
    over.countDown();
    loops.forEach(Clients.Background::join);
  }

  @Override
  public void close() {
    over.countDown();
    loops.forEach(Clients.Background::close);
  }

  private Duration pause(double quantile) {
    long[] sorted = IntStream.range(0, longestNs.length()).mapToLong(longestNs::get).toArray();
    Arrays.sort(sorted);
    return Duration.ofNanos(sorted[(int) (quantile * (sorted.length - 1))]);
  }

  private void run(int index, Client client) {
    try {
      // Spreads the starts.
      boolean isOver = over.await(index % (thinkMs + 1), TimeUnit.MILLISECONDS);
      while (!isOver) {
        long sentNs = System.nanoTime();
        client.send(requestBytes).expect(requestBytes);
        longestNs.accumulateAndGet(index, System.nanoTime() - sentNs, Math::max);
        replies.incrementAndGet();
        isOver = over.await(thinkMs, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
