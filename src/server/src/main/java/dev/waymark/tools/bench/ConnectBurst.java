package dev.waymark.tools.bench;

import io.netty.channel.EventLoop;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Connections that come and go: each asks once, is answered and closed, and the next one comes, at
 * once or when it is due. Confined to its event loop, but for the methods of {@link Work}.
 */
final class ConnectBurst implements Work, Owner {
  /** How many connections are begun before sockets are read again. */
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
  private long begun;

  /**
   * @param first the number of its first connection
   * @param step from one number to the next: how many such loops there are
   * @param liveMax connections at a time
   */
  ConnectBurst(Plan plan, EventLoop loop, Dialer dialer, int first, int step, int liveMax) {
    this.plan = plan;
    this.loop = loop;
    this.dialer = dialer;
    this.first = first;
    this.step = step;
    this.liveMax = liveMax;
  }

  // --- work ---

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
      beginMore();
    });
  }

  @Override
  public CompletableFuture<Void> stop() {
    loop.execute(() -> {
      isStopped = true;
      if (pacing != null) {
        long nowNs = plan.nowNs();
        for (long dueCount = pacing.dueCount(nowNs); begun < dueCount; begun++) {
          plan.tally().unsent(pacing.dueNs(begun), nowNs - pacing.dueNs(begun));
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
    // From when it was begun: when it was due is the request's affair.
    plan.tally().connected(plan.nowNs() - connection.begunNs());
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

  private void beginMore() {
    isScheduled = false;
    long nowNs = plan.nowNs();
    long dueCount = pacing == null ? Long.MAX_VALUE : pacing.dueCount(nowNs);
    int turn = DUE_TURN_MAX;
    while (!isStopped && live.size() < liveMax && begun < dueCount && turn-- > 0) {
      begin(nowNs);
    }
    if (isStopped || live.size() >= liveMax) {
      return;
    }
    schedule(pacing == null || begun < dueCount ? 0 : pacing.dueNs(begun) - nowNs);
  }

  private void begin(long nowNs) {
    long startNs = pacing == null ? nowNs : pacing.dueNs(begun);
    int number = (int) ((first + begun * step) % plan.numbers());
    BenchConnection connection = new BenchConnection(plan, this, dialer.buffers(), number);
    connection.onBegin(nowNs);
    begun++;
    live.put(connection, startNs);
    dialer.connect(connection);
  }

  /** One wake-up at a time. */
  private void schedule(long delayNs) {
    if (!isScheduled && !isStopped) {
      isScheduled = true;
      loop.schedule(this::beginMore, Math.max(0, delayNs), TimeUnit.NANOSECONDS);
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
