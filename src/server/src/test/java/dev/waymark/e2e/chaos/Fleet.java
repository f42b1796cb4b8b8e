package dev.waymark.e2e.chaos;

import dev.waymark.e2e.Waymark;
import dev.waymark.upstreams.TestDnsServer;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Upstreams behind one DNS name, and the faults that hit them. At least two are always healthy.
 * Thread-safe.
 */
final class Fleet implements AutoCloseable {
  private static final int HEALTHY_MIN = 2;
  private static final int DRAIN_MS_MAX = 5_000;

  /** Long enough for connections to arrive, send requests and be found stalled. */
  private static final int HANG_MS_MIN = 5_000;

  private static final List<String> REFUSALS = List.of("busy", "not_here", "shutting_down");
  private static final String NAME = "upstreams.test";

  private final MultiThreadIoEventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final TestDnsServer dns = new TestDnsServer((EventLoop) loop.next());
  private final int port = Waymark.freePort();
  private final List<String> stubFlags;
  private final List<String> hangFlags;
  private final List<ChaosUpstream> all;

  /** Joins and leaves; no other fault hits it. */
  private final ChaosUpstream guest;

  private final List<ChaosUpstream> healthy;
  private final List<ChaosUpstream> named;
  private final List<Thread> recoveries = new ArrayList<>();
  private final CountDownLatch healing = new CountDownLatch(1);
  private final Map<Fault.Kind, Integer> counts = new HashMap<>();
  private final Consumer<String> log;

  /** Only one at a time: a request that hangs everywhere ends its client, by design. */
  private boolean isOneHanging;

  private boolean isOneVisiting;

  /**
   * Starts {@code count} upstreams.
   *
   * @param hangFlags the flags of a stub that hangs, instead of {@code stubFlags}
   */
  Fleet(int count, List<String> stubFlags, List<String> hangFlags, Consumer<String> log) {
    this.stubFlags = stubFlags;
    this.hangFlags = hangFlags;
    this.log = log;
    all =
        IntStream.rangeClosed(1, count + 1)
            .mapToObj(i -> new ChaosUpstream("127.0.0." + i + ":" + port, stubFlags))
            .toList();
    guest = all.getLast();
    healthy = new ArrayList<>(all.subList(0, count));
    named = new ArrayList<>(healthy);
    dns.ttlSeconds = 1;
    healthy.forEach(ChaosUpstream::start);
    publish();
  }

  /** Returns the target by which a bridge finds the upstreams. */
  String target() {
    return "dns://" + dns.address() + "/" + NAME + ":" + port;
  }

  /** Returns the number of faults of each kind. */
  Map<Fault.Kind, Integer> counts() {
    return counts;
  }

  /** Applies the fault to a healthy upstream unless too few are left, or lets the guest join. */
  synchronized void strike(Fault fault) {
    Fault.Kind kind = fault.kind();
    if (!isPossible(kind)) {
      return;
    }
    counts.merge(kind, 1, Integer::sum);
    ChaosUpstream victim =
        kind == Fault.Kind.JOIN ? guest : healthy.remove(fault.pick() % healthy.size());
    log.accept("%s %s for %d ms".formatted(kind, victim.address(), fault.forMs()));
    apply(victim, fault);
  }

  private boolean isPossible(Fault.Kind kind) {
    return switch (kind) {
      case JOIN -> !isOneVisiting;
      case HANG -> !isOneHanging && healthy.size() > HEALTHY_MIN;
      case KILL, FREEZE, DRAIN, UNHEALTHY, LEAVE, REFUSE -> healthy.size() > HEALTHY_MIN;
    };
  }

  private void apply(ChaosUpstream victim, Fault fault) {
    long forMs = fault.forMs();
    switch (fault.kind()) {
      case KILL -> {
        victim.kill();
        after(forMs, victim, victim::start);
      }
      case FREEZE -> {
        victim.freeze();
        after(forMs, victim, victim::thaw);
      }
      case UNHEALTHY -> {
        victim.serve(false);
        after(forMs, victim, () -> victim.serve(true));
      }
      case DRAIN -> {
        victim.drain();
        after(Math.min(forMs, DRAIN_MS_MAX), victim, () -> replace(victim, stubFlags));
      }
      case LEAVE -> {
        leave(victim);
        after(
            forMs,
            victim,
            () -> {
              replace(victim, stubFlags);
              join(victim);
            });
      }
      case REFUSE -> {
        victim.refuse(REFUSALS.get(fault.pick() % REFUSALS.size()));
        after(forMs, victim, () -> victim.refuse("none"));
      }
      case HANG -> {
        isOneHanging = true;
        after(0, victim, () -> hang(victim, Math.max(forMs, HANG_MS_MIN)));
      }
      case JOIN -> {
        isOneVisiting = true;
        inBackground(() -> visit(forMs));
      }
    }
  }

  /** Ends all faults now. */
  void healAll() throws InterruptedException {
    healing.countDown();
    List<Thread> all;
    synchronized (this) {
      all = List.copyOf(recoveries);
    }
    for (Thread recovery : all) {
      recovery.join();
    }
  }

  @Override
  public void close() {
    all.forEach(ChaosUpstream::close);
    dns.close();
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  private void replace(ChaosUpstream upstream, List<String> flags) {
    stop(upstream);
    upstream.start(flags);
  }

  private void stop(ChaosUpstream upstream) {
    log.accept(
        "stop %s, which has %d connections".formatted(upstream.address(), upstream.connections()));
    upstream.stop();
  }

  private void hang(ChaosUpstream upstream, long forMs) {
    replace(upstream, hangFlags);
    awaitHealing(forMs);
    replace(upstream, stubFlags);
    synchronized (this) {
      isOneHanging = false;
    }
  }

  private void visit(long forMs) {
    guest.start();
    join(guest);
    awaitHealing(forMs);
    leave(guest);
    awaitHealing(forMs);
    stop(guest);
    log.accept(guest.address() + " is gone");
    synchronized (this) {
      isOneVisiting = false;
    }
  }

  private void after(long ms, ChaosUpstream upstream, Runnable action) {
    inBackground(() -> {
      awaitHealing(ms);
      action.run();
      log.accept(upstream.address() + " is healthy again");
      recovered(upstream);
    });
  }

  private void inBackground(Runnable recovery) {
    recoveries.removeIf(each -> !each.isAlive());
    recoveries.add(Thread.ofVirtual().start(recovery));
  }

  private void awaitHealing(long ms) {
    try {
      healing.await(ms, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void recovered(ChaosUpstream upstream) {
    healthy.add(upstream);
  }

  private synchronized void join(ChaosUpstream upstream) {
    named.add(upstream);
    publish();
  }

  private synchronized void leave(ChaosUpstream upstream) {
    named.remove(upstream);
    publish();
  }

  private void publish() {
    dns.addresses = named.stream().map(ChaosUpstream::host).toList();
  }
}
