package dev.waymark.e2e.chaos;

import dev.waymark.e2e.Waymark;
import dev.waymark.pool.TestDnsServer;
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
 * Upstreams on addresses of one DNS name, and what befalls them. Of all, two are always well.
 * Thread-safe.
 */
final class Fleet implements AutoCloseable {
  private static final int WELL_MIN = 2;
  private static final int DRAIN_MS_MAX = 5_000;
  private static final String NAME = "upstreams.test";

  private final MultiThreadIoEventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final TestDnsServer dns = new TestDnsServer((EventLoop) loop.next());
  private final int port = Waymark.freePort();
  private final List<ChaosUpstream> all;
  private final List<ChaosUpstream> well;
  private final List<ChaosUpstream> named;
  private final List<Thread> recoveries = new ArrayList<>();
  private final CountDownLatch healing = new CountDownLatch(1);
  private final Map<Misfortune.Kind, Integer> counts = new HashMap<>();
  private final Consumer<String> log;

  /** Starts so many. */
  Fleet(int count, List<String> stubFlags, Consumer<String> log) {
    this.log = log;
    all =
        IntStream.rangeClosed(1, count)
            .mapToObj(i -> new ChaosUpstream("127.0.0." + i + ":" + port, stubFlags))
            .toList();
    well = new ArrayList<>(all);
    named = new ArrayList<>(all);
    dns.ttlSeconds = 1;
    all.forEach(ChaosUpstream::start);
    publish();
  }

  /** Where a bridge finds them. */
  String target() {
    return "dns://" + dns.address() + "/" + NAME + ":" + port;
  }

  /** Of what befell them. */
  Map<Misfortune.Kind, Integer> counts() {
    return counts;
  }

  /** Strikes one that is well, unless too few are. */
  synchronized void strike(Misfortune misfortune) {
    if (well.size() <= WELL_MIN) {
      return;
    }
    ChaosUpstream victim = well.remove(misfortune.pick() % well.size());
    counts.merge(misfortune.kind(), 1, Integer::sum);
    log.accept(
        "%s %s for %d ms".formatted(misfortune.kind(), victim.address(), misfortune.forMs()));
    long forMs = misfortune.forMs();
    switch (misfortune.kind()) {
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
        after(Math.min(forMs, DRAIN_MS_MAX), victim, () -> replace(victim));
      }
      case LEAVE -> {
        named.remove(victim);
        publish();
        after(
            forMs,
            victim,
            () -> {
              replace(victim);
              comeBack(victim);
            });
      }
    }
  }

  /** Heals all, now. */
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

  private void replace(ChaosUpstream upstream) {
    log.accept(
        "stop %s, which has %d connections".formatted(upstream.address(), upstream.connections()));
    upstream.stop();
    upstream.start();
  }

  private void after(long ms, ChaosUpstream upstream, Runnable action) {
    recoveries.removeIf(each -> !each.isAlive());
    recoveries.add(
        Thread.ofVirtual()
            .start(() -> {
              awaitHealing(ms);
              action.run();
              log.accept(upstream.address() + " is well");
              isWell(upstream);
            }));
  }

  private void awaitHealing(long ms) {
    try {
      healing.await(ms, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void isWell(ChaosUpstream upstream) {
    well.add(upstream);
  }

  private synchronized void comeBack(ChaosUpstream upstream) {
    named.add(upstream);
    publish();
  }

  private void publish() {
    dns.addresses = named.stream().map(ChaosUpstream::host).toList();
  }
}
