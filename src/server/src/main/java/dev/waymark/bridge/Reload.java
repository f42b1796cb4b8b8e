package dev.waymark.bridge;

import dev.waymark.config.BridgeConfig;
import dev.waymark.config.ConfigChanges;
import dev.waymark.config.ConfigException;
import dev.waymark.config.ListenerConfig;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.LogConfig;
import dev.waymark.config.ProcessKeys;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Logging;
import dev.waymark.telemetry.Metrics;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads the configuration again and applies what changed, as a whole or not at all
 * (docs/decisions/0020). Thread-safe: one reload after the other; none of the loops may call it.
 */
public final class Reload {
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

    /** A defect of the bridge; what is in force then, the message says. */
    record Failed(String message) implements Outcome {}

    /** There is nothing to reload, or not now. */
    record Impossible(String why) implements Outcome {}
  }

  /** What a reload changes. */
  record Parts(BridgePools pools, BridgePorts ports, BridgeShards shards) {}

  /** A reload under way: what changes, to what, and what there was before. */
  private record Change(
      ConfigChanges what, BridgeConfig next, BridgePools.Known pools, BridgePorts.Prepared ports) {}

  /** Requests at once, of which one runs and the others wait; more are sent away. */
  private static final int REQUESTS_MAX = 3;

  private final Optional<Supplier<LoadedConfig>> file;
  private final Parts parts;
  private final EventLog log;
  private final ReloadMetrics metrics;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final CountDownLatch closing = new CountDownLatch(1);

  /** The bridge has started, or will not. */
  private final CountDownLatch settled = new CountDownLatch(1);

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
    setOpen(true);
    settled.countDown();
  }

  /** The bridge ends: waits for the reload under way, and lets no other in. */
  void close() {
    closing.countDown();
    settled.countDown();
    setOpen(false);
  }

  private void setOpen(boolean value) {
    lock.lock();
    try {
      isOpen = value;
    } finally {
      lock.unlock();
    }
  }

  /** The configuration that the bridge follows. Any thread. */
  LoadedConfig inForce() {
    return inForce;
  }

  // --- reloading ---

  /**
   * SIGHUP. One that comes while the bridge starts waits until it has started; while one waits,
   * another adds nothing.
   */
  public void onSignal() {
    if (!isSignalWaiting.compareAndSet(false, true)) {
      return;
    }
    try {
      settled.await();
    } catch (InterruptedException end) {
      Thread.currentThread().interrupt();
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
      case Outcome.Failed(String message) ->
          log.write(Event.RELOAD_REFUSED, "cause", cause, "reason", message);
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
    LoadedConfig before = inForce;
    try {
      LoadedConfig next = file.get().get();
      ConfigChanges changes = ConfigChanges.between(before, next);
      apply(changes, next);
      return new Outcome.Applied(changes.lines());
    } catch (ConfigException | StartException refused) {
      return new Outcome.Refused(String.valueOf(refused.getMessage()));
    } catch (RuntimeException bug) {
      log.write(Event.BUG, "exception", bug);
      return new Outcome.Failed("a defect of the bridge: " + bug + "; " + stateAfter(bug, before));
    }
  }

  private String stateAfter(RuntimeException bug, LoadedConfig before) {
    if (inForce != before) {
      return "the file is in force, but not all that it no longer names is gone";
    }
    return bug.getSuppressed().length == 0
        ? "nothing has changed"
        : "the former configuration is in force, but not all of it could be put back; restart";
  }

  /** What only takes away comes last, when nothing can be refused any more. */
  private void apply(ConfigChanges changes, LoadedConfig next) {
    BridgePools.Known pools = parts.pools.known();
    BridgePorts.Prepared ports = parts.ports.prepare(next.config().listeners());
    Change change = new Change(changes, next.config(), pools, ports);
    try {
      takeOver(change);
    } catch (RuntimeException bug) {
      undo(change, bug);
      throw bug;
    }
    inForce = next;
    runAll(
        List.of(
            () -> parts.ports.closeLeaving(ports),
            () -> parts.shards.removeListeners(changes.listeners().removed()),
            () -> changes.pools().removed().forEach(parts.pools::retire)),
        null);
  }

  /**
   * In an order in which no client meets anything half done: ports are bound, then pools find their
   * upstreams, then listeners go over to them.
   */
  private void takeOver(Change change) {
    BridgeConfig next = change.next;
    Set<String> changed = change.what.pools().changed().keySet();
    addPools(change.what.pools().added(), next);
    next.pools().stream()
        .filter(pool -> changed.contains(pool.name()))
        .forEach(parts.pools::reconfigure);
    parts.pools.settle();
    parts.shards.configure(
        parts.pools.setups(changed),
        chosen(next.listeners(), change.what.listeners().addedOrChanged()));
    parts.ports.switchTo(change.ports);
    log(inForce.config().log(), next.log());
  }

  /**
   * The other way round; where one step fails too, the others are taken all the same, and the
   * failure is kept with the first.
   */
  private void undo(Change change, RuntimeException bug) {
    BridgeConfig now = inForce.config();
    ConfigChanges what = change.what;
    Set<String> former = new HashSet<>(change.pools.configs().keySet());
    former.retainAll(what.pools().added());
    former.addAll(what.pools().changed().keySet());
    runAll(
        List.of(
            () -> log(change.next.log(), now.log()),
            () -> parts.ports.undo(change.ports),
            () -> parts.pools.restore(change.pools),
            parts.pools::settle,
            () ->
                parts.shards.configure(
                    parts.pools.setups(former),
                    chosen(now.listeners(), what.listeners().changed().keySet())),
            () -> parts.shards.removeListeners(what.listeners().added())),
        bug);
  }

  /**
   * Each step, whatever becomes of the others.
   *
   * @param cause why they are taken, thrown by whoever calls this, with what goes wrong here; null:
   *     the first that goes wrong is thrown
   */
  private static void runAll(List<Runnable> steps, @Nullable RuntimeException cause) {
    RuntimeException first = cause;
    for (Runnable step : steps) {
      try {
        step.run();
      } catch (RuntimeException bug) {
        if (first == null) {
          first = bug;
        } else if (first != bug) {
          first.addSuppressed(bug);
        }
      }
    }
    if (cause == null && first != null) {
      throw first;
    }
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
      parts.pools.awaitServing(
          added, new Wait(next.get(ProcessKeys.START_TIMEOUT).toNanos()), closing);
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
