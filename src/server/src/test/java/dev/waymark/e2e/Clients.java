package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** Runs many clients at once, each on a virtual thread. */
final class Clients {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  /** Less than a listener's backlog: the kernel makes those beyond it retry after a second. */
  private static final int CONNECTING_MAX = 500;

  private Clients() {}

  /** A task that runs alongside the test. {@link #join} throws its failure. */
  static final class Background implements AutoCloseable {
    private final FutureTask<Void> task;

    private Background(Runnable action) {
      task = new FutureTask<>(action, null);
      Thread.ofVirtual().start(task);
    }

    void join() {
      try {
        task.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
      } catch (ExecutionException failed) {
        throw new AssertionError(failed.getCause());
      } catch (TimeoutException late) {
        throw new AssertionError("still busy after " + TIMEOUT, late);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }

    boolean isDone() {
      return task.isDone();
    }

    @Override
    public void close() {
      task.cancel(true);
    }
  }

  static Background inBackground(Runnable action) {
    return new Background(action);
  }

  /** Connects {@code count} clients. */
  static List<Client> connect(int count, int port) {
    List<Client> clients = new ArrayList<>();
    while (clients.size() < count) {
      int batch = Math.min(CONNECTING_MAX, count - clients.size());
      List<Client> next = Collections.synchronizedList(new ArrayList<>());
      inParallel(Collections.nCopies(batch, port), to -> next.add(Client.connect(to)));
      clients.addAll(next);
    }
    return clients;
  }

  /** Runs the action on all elements at once and waits for all. Throws the first failure. */
  static <T> void inParallel(List<T> all, Consumer<T> action) {
    List<Background> tasks =
        all.stream().map(one -> inBackground(() -> action.accept(one))).toList();
    try {
      tasks.forEach(Background::join);
    } finally {
      tasks.forEach(Background::close);
    }
  }

  static void close(List<Client> clients) {
    clients.forEach(Client::close);
  }

  /** Asserts that less than {@code max} has passed; choose it so that a busy machine passes too. */
  static void assertFast(long startNs, Duration max) {
    assertThat(Duration.ofNanos(System.nanoTime() - startNs)).isLessThan(max);
  }
}
