package dev.waymark.net.tls;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Checks the files of everything with TLS, on a thread of its own. Files are compared rather
 * than watched: inotify does not notice the swap of a symbolic link above a file, by which
 * Kubernetes updates a mounted Secret, nor changes on network file systems. Thread-safe.
 */
public final class TlsWatch implements AutoCloseable {
  /** A change counts once two checks in a row have seen the same files: within half a second. */
  private static final long INTERVAL_MS = 250;

  /** TLS that follows its files. */
  sealed interface Followed permits ListenerTls, UpstreamTls {
    /** Takes over changed files. Blocks. */
    void check();

    /** Gives up what it holds; connections go on. */
    void close();
  }

  private final Set<Followed> followed = ConcurrentHashMap.newKeySet();
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
      try {
        one.check();
      } catch (RuntimeException | Error bug) {
        onBug.accept(bug);
      }
    }
  }

  /** Follows the files of a listener. */
  public void add(ListenerTls listener) {
    followed.add(listener);
  }

  /** Follows the files of a pool. */
  public void add(UpstreamTls pool) {
    followed.add(pool);
  }

  /** Forgets this listener and closes it, after a check in progress. */
  public void remove(ListenerTls listener) {
    close(listener);
  }

  /** Forgets this pool and closes it, after a check in progress. */
  public void remove(UpstreamTls pool) {
    close(pool);
  }

  private void close(Followed one) {
    if (followed.remove(one)) {
      thread.execute(one::close);
    }
  }

  @Override
  public void close() {
    thread.shutdown();
  }
}
