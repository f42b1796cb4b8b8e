package dev.waymark.cli;

import dev.waymark.admin.Event;
import dev.waymark.admin.EventLog;
import dev.waymark.admin.Logging;
import dev.waymark.admin.Metrics;
import dev.waymark.config.BridgeConfig;
import dev.waymark.config.ConfigChanges;
import dev.waymark.config.ConfigException;
import dev.waymark.config.ListenerConfig;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.LogConfig;
import dev.waymark.config.PoolConfig;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Reads the configuration again and applies what changed, as a whole or not at all
 * (docs/decisions/0020). Thread-safe: one reload after the other; none of the loops may call it.
 */
final class Reload {
  /** How it went. */
  sealed interface Outcome {
    /**
     * The file is in force.
     *
     * @param changes one line each; empty if nothing had changed
     */
    record Applied(List<String> changes) implements Outcome {}

    /** The file cannot be used, and nothing has changed; the message has a line for each reason. */
    record Refused(String message) implements Outcome {}

    /** There is nothing to reload, or not now. */
    record Impossible(String why) implements Outcome {}
  }

  /** What a reload changes. */
  record Parts(BridgePools pools, BridgePorts ports, BridgeShards shards) {}

  /** Requests at once, of which one runs and the others wait; more are sent away. */
  private static final int REQUESTS_MAX = 3;

  private final Optional<Supplier<LoadedConfig>> file;
  private final Parts parts;
  private final EventLog log;
  private final ReloadMetrics metrics;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final CountDownLatch closing = new CountDownLatch(1);
  private final AtomicBoolean isSignalWaiting = new AtomicBoolean();
  private final AtomicInteger requests = new AtomicInteger();
  private boolean isOpen;
  private volatile LoadedConfig inForce;

  /**
   * @param file reads the configuration; throws ConfigException. Empty where there is no file
   */
  Reload(
      LoadedConfig inForce,
      Optional<Supplier<LoadedConfig>> file,
      Parts parts,
      EventLog log,
      Metrics metrics) {
    this.inForce = inForce;
    this.file = file;
    this.parts = parts;
    this.log = log;
    this.metrics = new ReloadMetrics(metrics);
  }

  // --- life ---

  /** The bridge serves: reloads are let in from now on. */
  void open() {
    lock.lock();
    isOpen = true;
    lock.unlock();
  }

  /** The bridge ends: waits for the reload under way, and lets no other in. */
  void close() {
    closing.countDown();
    lock.lock();
    isOpen = false;
    lock.unlock();
  }

  /** The configuration that the bridge follows. Any thread. */
  LoadedConfig inForce() {
    return inForce;
  }

  // --- reloading ---

  /** SIGHUP. While one waits for its turn another adds nothing. */
  void onSignal() {
    if (!isSignalWaiting.compareAndSet(false, true)) {
      return;
    }
    lock.lock();
    try {
      isSignalWaiting.set(false);
      run("signal");
    } finally {
      lock.unlock();
    }
  }

  /** A request; blocks until it is done, at most some start-timeouts. */
  Outcome onRequest() {
    try {
      if (requests.incrementAndGet() > REQUESTS_MAX) {
        return new Outcome.Impossible("other reloads wait already; try again");
      }
      lock.lock();
      try {
        return run("request");
      } finally {
        lock.unlock();
      }
    } finally {
      requests.decrementAndGet();
    }
  }

  private Outcome run(String cause) {
    Outcome outcome = outcome();
    metrics.count(outcome);
    switch (outcome) {
      case Outcome.Applied(List<String> changes) ->
          log.write(
              Event.RELOADED,
              "cause",
              cause,
              "changes",
              changes.isEmpty() ? "none" : String.join("; ", changes));
      case Outcome.Refused(String message) ->
          message
              .lines()
              .forEach(line -> log.write(Event.RELOAD_REFUSED, "cause", cause, "reason", line));
      case Outcome.Impossible(String why) ->
          log.write(Event.RELOAD_REFUSED, "cause", cause, "reason", why);
    }
    return outcome;
  }

  private Outcome outcome() {
    if (file.isEmpty()) {
      return new Outcome.Impossible(
          "this bridge was started without a file (--config, WAYMARK_CONFIG): there is nothing to reload");
    }
    if (!isOpen) {
      return new Outcome.Impossible(
          closing.getCount() == 0
              ? "the bridge drains"
              : "the bridge is still starting; try again");
    }
    try {
      LoadedConfig next = file.get().get();
      ConfigChanges changes = ConfigChanges.between(inForce, next);
      apply(changes, next.config());
      inForce = next;
      return new Outcome.Applied(changes.lines());
    } catch (ConfigException | StartException refused) {
      return new Outcome.Refused(String.valueOf(refused.getMessage()));
    }
  }

  /**
   * In an order in which no client meets anything half done: ports are bound, then pools find their
   * upstreams, then listeners go over to them.
   */
  private void apply(ConfigChanges changes, BridgeConfig next) {
    BridgePorts.Prepared ports = parts.ports.prepare(next.listeners());
    // Nothing below is refused.
    addPools(changes.pools().added(), next);
    for (PoolConfig pool : next.pools()) {
      if (changes.pools().changed().containsKey(pool.name())) {
        parts.pools.reconfigure(pool);
      }
    }
    parts.pools.settle();
    parts.shards.configure(
        parts.pools.setups(changes.pools().changed().keySet()),
        chosen(next.listeners(), changes.listeners().addedOrChanged()));
    parts.ports.commit(ports);
    parts.shards.removeListeners(changes.listeners().removed());
    changes.pools().removed().forEach(parts.pools::retire);
    log(inForce.config().log(), next.log());
  }

  private static void log(LogConfig now, LogConfig next) {
    if (now.format() != next.format()) {
      Logging.configure(next, System.err);
    } else if (!now.equals(next)) {
      Logging.setLevels(next);
    }
  }

  private void addPools(Set<String> added, BridgeConfig next) {
    next.pools().stream().filter(pool -> added.contains(pool.name())).forEach(parts.pools::add);
    parts.shards.configure(parts.pools.setups(added), List.of());
    parts.pools.start();
    added.forEach(parts.pools::publishAgain);
    try {
      parts.pools.awaitServing(added, Clock.nowNs() + next.startTimeout().toNanos(), closing);
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }

  private static List<ListenerConfig> chosen(List<ListenerConfig> listeners, Set<String> names) {
    return listeners.stream().filter(listener -> names.contains(listener.name())).toList();
  }

  /**
   * Forgets listeners and pools that were removed and have no connection any more. To be called now
   * and then; not while a reload runs, which it leaves alone.
   */
  void sweep(BridgeCounters counters) {
    if (lock.tryLock()) {
      try {
        if (isOpen) {
          parts.ports.takeEnded().forEach(counters::forgetListener);
          parts.pools.retired().stream()
              .filter(parts.shards::removePoolIfUnused)
              .forEach(parts.pools::forget);
        }
      } finally {
        lock.unlock();
      }
    }
  }
}
