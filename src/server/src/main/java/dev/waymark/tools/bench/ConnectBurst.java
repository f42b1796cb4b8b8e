package dev.waymark.tools.bench;

import io.netty.channel.EventLoop;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Connections that come and go: each sends one request, gets its reply and is closed; the next one
 * is opened at once or when it is due. Confined to its event loop, except for the methods of {@link
 * Workload}.
 */
final class ConnectBurst implements Workload, Owner {
  /** How many connections are started before sockets are read again. */
  private static final int DUE_TURN_MAX = 64;

  private final Plan plan;
  private final EventLoop loop;
  private final Dialer dialer;
  private final int first;
  private final int step;
  private final int liveMax;
  private final Map<BenchConnection, Long> live = new HashMap<>();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private boolean isStopped;
  private boolean isClosed;
  private boolean isScheduled;
  private @Nullable Pacing pacing;
  private long started;

  /**
   * @param first the number of the first connection
   * @param step the distance between numbers, which is the number of event loops
   * @param liveMax the maximum of concurrent connections
   */
  ConnectBurst(Plan plan, EventLoop loop, Dialer dialer, int first, int step, int liveMax) {
    this.plan = plan;
    this.loop = loop;
    this.dialer = dialer;
    this.first = first;
    this.step = step;
    this.liveMax = liveMax;
  }

  // --- Workload ---

  @Override
  public CompletableFuture<Void> connect() {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public void start(long startNs) {
    BenchOptions options = plan.options();
    loop.execute(() -> {
      if (options.isPaced()) {
        pacing = new Pacing(startNs, options.rate() / step);
      }
      startMore();
    });
  }

  @Override
  public CompletableFuture<Void> stop() {
    loop.execute(() -> {
      isStopped = true;
      if (pacing != null) {
        long nowNs = plan.nowNs();
        for (long dueCount = pacing.dueCount(nowNs); started < dueCount; started++) {
          plan.tally().unsent(pacing.dueNs(started), nowNs - pacing.dueNs(started));
        }
      }
      checkEnd();
    });
    return drained;
  }

  @Override
  public CompletableFuture<Void> close() {
    loop.execute(() -> {
      isStopped = true;
      isClosed = true;
      long nowNs = plan.nowNs();
      live.forEach((connection, startNs) -> {
        plan.tally().unanswered(startNs, nowNs - startNs);
        connection.close();
      });
      checkEnd();
    });
    return closed;
  }

  // --- connections ---

  @Override
  public void onOpen(BenchConnection connection) {
    // Measured from the start of connecting; the request's latency counts from when it was due.
    plan.tally().connected(plan.nowNs() - connection.connectStartNs());
    connection.admit(1);
  }

  @Override
  public long startNs(BenchConnection connection, long request, long nowNs) {
    return live.getOrDefault(connection, nowNs);
  }

  @Override
  public void onAnswer(BenchConnection connection, long startNs, long nowNs, int size) {
    plan.tally().answered(pacing == null ? nowNs : startNs, nowNs - startNs, size);
    connection.close();
  }

  @Override
  public void onEnd(BenchConnection connection, @Nullable String failure) {
    live.remove(connection);
    if (connection.wasOpen()) {
      plan.tally().closed();
    }
    if (failure != null && !isClosed) {
      if (connection.wasOpen()) {
        plan.tally().lost(failure);
      } else {
        plan.tally().refused(failure);
      }
    }
    schedule(0);
    checkEnd();
  }

  private void startMore() {
    isScheduled = false;
    long nowNs = plan.nowNs();
    long dueCount = pacing == null ? Long.MAX_VALUE : pacing.dueCount(nowNs);
    int turnsLeft = DUE_TURN_MAX;
    while (!isStopped && live.size() < liveMax && started < dueCount && turnsLeft-- > 0) {
      startOne(nowNs);
    }
    if (isStopped || live.size() >= liveMax) {
      return;
    }
    schedule(pacing == null || started < dueCount ? 0 : pacing.dueNs(started) - nowNs);
  }

  private void startOne(long nowNs) {
    long startNs = pacing == null ? nowNs : pacing.dueNs(started);
    int number = (int) ((first + started * step) % plan.numbers());
    BenchConnection connection = new BenchConnection(plan, this, dialer.buffers(), number);
    connection.onConnecting(nowNs);
    started++;
    live.put(connection, startNs);
    dialer.connect(connection);
  }

  /** Schedules {@link #startMore} unless it is already scheduled. */
  private void schedule(long delayNs) {
    if (!isScheduled && !isStopped) {
      isScheduled = true;
      loop.schedule(this::startMore, Math.max(0, delayNs), TimeUnit.NANOSECONDS);
    }
  }

  private void checkEnd() {
    if (isStopped && live.isEmpty()) {
      drained.complete(null);
      if (isClosed) {
        closed.complete(null);
      }
    }
  }
}
