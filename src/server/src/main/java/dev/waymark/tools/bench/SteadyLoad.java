package dev.waymark.tools.bench;

import io.netty.channel.EventLoop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Connections that stay: they ask as fast as replies come, or when it is due. With IDLE each asks
 * once. Confined to its event loop, but for the methods of {@link Work}.
 */
final class SteadyLoad implements Work, Owner {
  /** More at once would overflow the other side's backlog. */
  private static final int CONNECTING_MAX = 128;

  /** How many requests fall due before replies are read again. */
  private static final int DUE_TURN_MAX = 256;

  private final Plan plan;
  private final EventLoop loop;
  private final Dialer dialer;
  private final BenchConnection[] connections;
  private final int firstNumber;
  private final CompletableFuture<Void> ready = new CompletableFuture<>();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private int asked;
  private int connecting;
  private int live;

  /** Of those that are open, how many still wait for an answer; counted from {@link #stop} on. */
  private int busy;

  private boolean isStopped;
  private boolean isClosed;
  private @Nullable Pacing pacing;
  private long due;

  /**
   * @param firstNumber its connections have this number and those after it
   */
  SteadyLoad(Plan plan, EventLoop loop, Dialer dialer, int firstNumber, int count) {
    this.plan = plan;
    this.loop = loop;
    this.dialer = dialer;
    this.firstNumber = firstNumber;
    this.connections = new BenchConnection[count];
    for (int i = 0; i < count; i++) {
      connections[i] = new BenchConnection(plan, this, dialer.buffers(), firstNumber + i);
    }
  }

  // --- work ---

  @Override
  public CompletableFuture<Void> connect() {
    loop.execute(this::connectMore);
    return ready;
  }

  @Override
  public void start(long startNs) {
    BenchOptions options = plan.options();
    double share = (double) connections.length / options.connections();
    loop.execute(() -> {
      if (options.isPaced()) {
        pacing = new Pacing(startNs, options.rate() * share);
        pace();
      } else {
        loop.schedule(this::askAll, startNs - plan.nowNs(), TimeUnit.NANOSECONDS);
      }
    });
  }

  @Override
  public CompletableFuture<Void> stop() {
    loop.execute(() -> {
      askRest();
      isStopped = true;
      stopAll();
      checkReady();
      checkDrained();
    });
    return drained;
  }

  @Override
  public CompletableFuture<Void> close() {
    loop.execute(() -> {
      isStopped = true;
      isClosed = true;
      long nowNs = plan.nowNs();
      for (BenchConnection each : connections) {
        for (long i = each.isOpen() ? each.underWay() : 0; i > 0; i--) {
          plan.tally().unanswered(each.oldestStartNs(), nowNs - each.oldestStartNs());
        }
        each.close();
      }
      checkClosed();
    });
    return closed;
  }

  // --- connections ---

  @Override
  public void onOpen(BenchConnection connection) {
    connecting--;
    live++;
    plan.tally().connected(plan.nowNs() - connection.begunNs());
    connectMore();
  }

  @Override
  public long startNs(BenchConnection connection, long request, long nowNs) {
    return pacing == null ? nowNs : dueNs(pacing, connection, request);
  }

  @Override
  public void onAnswer(BenchConnection connection, long startNs, long nowNs, int size) {
    plan.tally().answered(pacing == null ? nowNs : startNs, nowNs - startNs, size);
    if (isStopped && connection.underWay() == 0) {
      busy--;
      checkDrained();
    }
  }

  @Override
  public void onEnd(BenchConnection connection, @Nullable String failure) {
    if (connection.wasOpen()) {
      live--;
      plan.tally().closed();
      if (failure != null) {
        plan.tally().lost(failure);
      }
      if (isStopped && connection.underWay() > 0) {
        busy--;
        checkDrained();
      }
    } else {
      connecting--;
      if (failure != null && !isStopped) {
        plan.tally().refused(failure);
      }
      connectMore();
    }
    checkClosed();
  }

  private void connectMore() {
    while (connecting < CONNECTING_MAX && asked < connections.length && !isStopped) {
      connections[asked].onBegin(plan.nowNs());
      connecting++;
      dialer.connect(connections[asked++]);
    }
    checkReady();
  }

  // --- requests ---

  private void askAll() {
    for (BenchConnection each : connections) {
      if (!isStopped) {
        each.admit(Long.MAX_VALUE);
      }
    }
  }

  private void pace() {
    if (isStopped || pacing == null) {
      return;
    }
    long until = Math.min(pacing.dueCount(plan.nowNs()), requestsMax());
    long turn = Math.min(until, due + DUE_TURN_MAX);
    for (; due < turn; due++) {
      BenchConnection next = connections[(int) (due % connections.length)];
      next.admit(next.admitted() + 1);
    }
    if (due < until) {
      loop.execute(this::pace);
    } else if (due < requestsMax()) {
      long waitNs = Math.max(0, pacing.dueNs(due) - plan.nowNs());
      loop.schedule(this::pace, waitNs, TimeUnit.NANOSECONDS);
    }
  }

  /** Where each is to ask once, each is: one that was not asked would not be known to be alive. */
  private void askRest() {
    while (pacing != null && due < connections.length && requestsMax() == connections.length) {
      connections[(int) due++].admit(1);
    }
  }

  private long requestsMax() {
    return plan.options().mode() == BenchOptions.Mode.IDLE ? connections.length : Long.MAX_VALUE;
  }

  private long dueNs(Pacing by, BenchConnection connection, long request) {
    return by.dueNs(request * connections.length + connection.number() - firstNumber);
  }

  private void stopAll() {
    long nowNs = plan.nowNs();
    for (BenchConnection each : connections) {
      if (pacing != null && each.isOpen()) {
        for (long request = each.sent(); request < each.admitted(); request++) {
          long dueNs = dueNs(pacing, each, request);
          plan.tally().unsent(dueNs, nowNs - dueNs);
        }
      }
      each.admitNoMore();
      if (each.isOpen() && each.underWay() > 0) {
        busy++;
      }
    }
  }

  // --- ends ---

  private void checkReady() {
    if (connecting == 0 && (isStopped || asked == connections.length)) {
      ready.complete(null);
    }
  }

  private void checkDrained() {
    if (isStopped && busy == 0) {
      drained.complete(null);
    }
  }

  private void checkClosed() {
    if (isClosed && live == 0 && connecting == 0) {
      closed.complete(null);
    }
  }
}
