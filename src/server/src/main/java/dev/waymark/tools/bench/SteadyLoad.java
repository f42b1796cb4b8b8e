package dev.waymark.tools.bench;

import io.netty.channel.EventLoop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Connections that stay open and send requests as fast as replies come, or at a fixed rate. With
 * IDLE each sends one request. Confined to its event loop, except for the methods of {@link
 * Workload}.
 */
final class SteadyLoad implements Workload, Owner {
  /** More connects at once could overflow the other side's backlog. */
  private static final int CONNECTING_MAX = 128;

  /** How many due requests are admitted before replies are read again. */
  private static final int DUE_TURN_MAX = 256;

  private final Plan plan;
  private final EventLoop loop;
  private final Dialer dialer;
  private final BenchConnection[] connections;
  private final int firstNumber;
  private final CompletableFuture<Void> ready = new CompletableFuture<>();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private int dialled;
  private int connecting;
  private int live;

  /** How many open connections still await replies; counted from {@link #stop} on. */
  private int busy;

  private boolean isStopped;
  private boolean isClosed;
  private @Nullable Pacing pacing;
  private long due;

  /**
   * @param firstNumber the number of the first connection; the others follow
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

  // --- Workload ---

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
        loop.schedule(this::admitAll, startNs - plan.nowNs(), TimeUnit.NANOSECONDS);
      }
    });
  }

  @Override
  public CompletableFuture<Void> stop() {
    loop.execute(() -> {
      admitRest();
      isStopped = true;
      stopAdmitting();
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
        for (long i = each.isOpen() ? each.inFlight() : 0; i > 0; i--) {
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
    plan.tally().connected(plan.nowNs() - connection.connectStartNs());
    connectMore();
  }

  @Override
  public long startNs(BenchConnection connection, long request, long nowNs) {
    return pacing == null ? nowNs : dueNs(pacing, connection, request);
  }

  @Override
  public void onAnswer(BenchConnection connection, long startNs, long nowNs, int size) {
    plan.tally().answered(pacing == null ? nowNs : startNs, nowNs - startNs, size);
    if (isStopped && connection.inFlight() == 0) {
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
      if (isStopped && connection.inFlight() > 0) {
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
    while (connecting < CONNECTING_MAX && dialled < connections.length && !isStopped) {
      connections[dialled].onConnecting(plan.nowNs());
      connecting++;
      dialer.connect(connections[dialled++]);
    }
    checkReady();
  }

  // --- requests ---

  private void admitAll() {
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
    long turnEnd = Math.min(until, due + DUE_TURN_MAX);
    for (; due < turnEnd; due++) {
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

  /**
   * With IDLE, admits the requests that are not due yet: a connection that sends none would not be
   * known to be alive.
   */
  private void admitRest() {
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

  private void stopAdmitting() {
    long nowNs = plan.nowNs();
    for (BenchConnection each : connections) {
      if (pacing != null && each.isOpen()) {
        for (long request = each.sent(); request < each.admitted(); request++) {
          long dueNs = dueNs(pacing, each, request);
          plan.tally().unsent(dueNs, nowNs - dueNs);
        }
      }
      each.admitNoMore();
      if (each.isOpen() && each.inFlight() > 0) {
        busy++;
      }
    }
  }

  // --- ends ---

  private void checkReady() {
    if (connecting == 0 && (isStopped || dialled == connections.length)) {
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
