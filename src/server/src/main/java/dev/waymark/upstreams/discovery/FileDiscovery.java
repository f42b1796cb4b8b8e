package dev.waymark.upstreams.discovery;

import dev.waymark.config.ConfigException;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.UpstreamFile;
import dev.waymark.files.FollowedFiles;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.control.ControlLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a file of upstreams whenever it has changed. It looks at the file rather than being told:
 * inotify notices neither the swap of a symbolic link above a file, by which Kubernetes updates a
 * mounted ConfigMap, nor changes on network file systems. A file that cannot be used is reported,
 * and tried again when it changes and every ten seconds.
 *
 * <p>Confined to the control thread, but for a thread of its own that looks, because a file system
 * may block.
 */
final class FileDiscovery implements DiscoverySource {
  /** A change counts once two looks in a row have seen the same: within half a second. */
  private static final long INTERVAL_MS = 250;

  private final Path file;
  private final ControlLoop control;
  private final Consumer<List<Endpoint>> onFound;
  private final Consumer<UpstreamProblem> onFailed;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("upstream-file-", 0).daemon().factory());

  /** Confined to the file's thread; null before the first look. */
  private @Nullable FollowedFiles followed;

  /** Confined to the file's thread. */
  private boolean hasRead;

  private @Nullable ScheduledFuture<?> timer;
  private boolean isClosed;

  /**
   * @param onFound receives all upstreams, after every change
   * @param onFailed receives why the file cannot be used
   */
  FileDiscovery(
      Path file,
      ControlLoop control,
      Consumer<List<Endpoint>> onFound,
      Consumer<UpstreamProblem> onFailed) {
    this.file = file;
    this.control = control;
    this.onFound = onFound;
    this.onFailed = onFailed;
  }

  @Override
  public void start() {
    look();
  }

  private void look() {
    long nowMs = TimeUnit.NANOSECONDS.toMillis(control.time().nowNs());
    thread.execute(() -> {
      try {
        readIfDue(nowMs);
      } catch (RuntimeException bug) {
        fail(new UpstreamProblem(Kind.INTERNAL, String.valueOf(bug)));
      }
      tell(() ->
          timer = control.eventLoop().schedule(this::look, INTERVAL_MS, TimeUnit.MILLISECONDS));
    });
  }

  private void readIfDue(long nowMs) {
    FollowedFiles known = followed;
    if (known == null) {
      followed = new FollowedFiles(List.of(file));
      return;
    }
    boolean isDue = known.areDue(nowMs);
    if (!isDue && (hasRead || !known.areAtRest())) {
      return;
    }
    hasRead = true;
    try {
      List<Endpoint> found = UpstreamFile.read(file);
      tell(() -> onFound.accept(found));
    } catch (ConfigException unusable) {
      List<String> lines = String.valueOf(unusable.getMessage()).lines().toList();
      String more = lines.size() > 1 ? " (and " + (lines.size() - 1) + " more)" : "";
      String text = lines.getFirst() + more;
      var _ = known.refuse(text, nowMs);
      fail(new UpstreamProblem(Kind.FILE_UNUSABLE, text));
    }
  }

  private void fail(UpstreamProblem problem) {
    tell(() -> onFailed.accept(problem));
  }

  private void tell(Runnable callback) {
    control
        .eventLoop()
        .execute(() -> {
          if (!isClosed) {
            callback.run();
          }
        });
  }

  @Override
  public void close() {
    isClosed = true;
    if (timer != null) {
      timer.cancel(false);
    }
    thread.shutdownNow();
  }
}
