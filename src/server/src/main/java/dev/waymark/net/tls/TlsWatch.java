package dev.waymark.net.tls;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Checks the files of everything with TLS, on a thread of its own. Files are compared rather than
 * watched: inotify does not notice the swap of a symbolic link above a file, by which Kubernetes
 * updates a mounted Secret, nor changes on network file systems. Thread-safe.
 */
public final class TlsWatch implements AutoCloseable {
  /** A change counts once two checks in a row have seen the same files: within half a second. */
  private static final long INTERVAL_MS = 250;

  /** TLS that follows its files. */
  sealed interface Followed permits ServerTls, UpstreamTls {
    /** Takes over changed files. Blocks. */
    void check();

    /** Gives up what it holds; connections go on. */
    void close();
  }

  /** How long closing may wait for a check that blocks, as a file system may. */
  private static final long CLOSE_TIMEOUT_MS = 5_000;

  private final Set<Followed> followed = ConcurrentHashMap.newKeySet();

  /** Those out of force, for handshakes under way, and for connections that nobody else follows. */
  private final Set<ServerTls> retired = ConcurrentHashMap.newKeySet();

  private final Consumer<Throwable> onBug;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("tls-files").daemon().factory());

  /**
   * @param onBug receives exceptions that are bugs in the bridge
   */
  public TlsWatch(Consumer<Throwable> onBug) {
    this.onBug = onBug;
  }

  /** Starts checking. */
  public void start() {
    thread.scheduleWithFixedDelay(this::check, INTERVAL_MS, INTERVAL_MS, TimeUnit.MILLISECONDS);
  }

  private void check() {
    for (Followed one : followed) {
      guarded(one::check);
    }
    for (ServerTls old : retired) {
      guarded(() -> checkRetired(old));
    }
  }

  private void checkRetired(ServerTls old) {
    boolean hasSuccessor =
        followed.stream()
            .anyMatch(one -> one instanceof ServerTls listener && listener.hasSameClients(old));
    if (old.isGraceOver() && (hasSuccessor || !old.hasClients())) {
      retired.remove(old);
      old.close();
    } else if (!hasSuccessor) {
      old.check();
    }
  }

  private void guarded(Runnable action) {
    try {
      action.run();
    } catch (RuntimeException | Error bug) {
      onBug.accept(bug);
    }
  }

  /** Follows the files of a listener. */
  public void add(ServerTls listener) {
    followed.add(listener);
  }

  /** Follows the files of a pool. */
  public void add(UpstreamTls pool) {
    followed.add(pool);
  }

  /**
   * This listener's TLS is no longer in force, or never was. It is closed once no client needs it.
   */
  public void remove(ServerTls listener) {
    if (followed.remove(listener)) {
      listener.retire();
      retired.add(listener);
    } else if (!retired.contains(listener)) {
      thread.execute(listener::close);
    }
  }

  /** Forgets this pool, followed or not, and closes it after a check in progress. */
  public void remove(UpstreamTls pool) {
    followed.remove(pool);
    thread.execute(pool::close);
  }

  /** Closes all. Blocks until a check in progress has ended, for some seconds at most. */
  @Override
  public void close() {
    thread.execute(() -> {
      followed.forEach(one -> guarded(one::close));
      retired.forEach(listener -> guarded(listener::close));
    });
    thread.shutdown();
    try {
      if (!thread.awaitTermination(CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
        thread.shutdownNow();
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }
}
