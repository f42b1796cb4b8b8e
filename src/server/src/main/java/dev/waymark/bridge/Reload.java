package dev.waymark.bridge;

import dev.waymark.api.AdminServer;
import dev.waymark.api.ReloadOutcome;
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
 * Reads the configuration again and applies what has changed, all of it or nothing
 * (docs/decisions/0020); and closes the ports for an operator, because both change them.
 * Thread-safe: reloads run one at a time. Must not be called on an event loop.
 */
public final class Reload {
  /** The parts of the bridge that a reload changes. */
  record Parts(BridgePools pools, BridgePorts ports, BridgeShards shards, AdminServer admin) {}

  /**
   * A reload in progress.
   *
   * @param what the differences
   * @param pools the pools before it
   * @param tls new TLS to upstreams
   */
  private record Change(
      ConfigChanges what,
      BridgeConfig next,
      BridgePools.Checkpoint pools,
      BridgePools.PreparedTls tls,
      BridgePorts.Prepared ports) {}

  /** Concurrent requests: one runs and the others wait; any more are turned away. */
  private static final int REQUESTS_MAX = 3;

  private static final String TOO_MANY = "other reloads are already waiting; try again";

  private final Optional<Supplier<LoadedConfig>> file;
  private final Parts parts;
  private final EventLog log;
  private final ReloadMetrics metrics;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final CountDownLatch closing = new CountDownLatch(1);

  /** Released when the bridge has started or will not start. */
  private final CountDownLatch settled = new CountDownLatch(1);

  private final AtomicBoolean isSignalWaiting = new AtomicBoolean();
  private final AtomicInteger requests = new AtomicInteger();
  private boolean isOpen;
  private volatile boolean isDrained;
  private volatile LoadedConfig inForce;

  /**
   * @param file reads the configuration, or throws ConfigException; empty if there is no file
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

  // --- lifecycle ---

  /** Admits reloads from now on, because the bridge serves. */
  void open() {
    setOpen(true);
    settled.countDown();
  }

  /** Admits no more reloads, because the bridge ends, and waits for the one in progress. */
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

  /** The configuration in force. Any thread. */
  LoadedConfig inForce() {
    return inForce;
  }

  // --- reloading ---

  /**
   * Reloads on SIGHUP. While the bridge is starting, blocks until it has started. A signal has no
   * effect while an earlier one is still waiting.
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

  /** Reloads on request; blocks until done, for a few start-timeouts at most. */
  ReloadOutcome onRequest() {
    return queued(() -> run("request"), new ReloadOutcome.Impossible(TOO_MANY));
  }

  /**
   * Stops accepting for an operator, or accepts again. Blocks; waits for a reload in progress.
   *
   * @return why that is impossible; empty if it is done
   */
  Optional<String> drain(boolean next) {
    return queued(() -> drainNow(next), Optional.of(TOO_MANY));
  }

  private Optional<String> drainNow(boolean next) {
    try {
      if (!isOpen) {
        return Optional.of(whyClosed());
      }
      if (next != isDrained) {
        if (next) {
          // First, so that no probe finds the bridge ready with its ports closed.
          isDrained = true;
          parts.ports.close();
        } else {
          parts.ports.switchTo(parts.ports.prepare(inForce.config().listeners()));
          isDrained = false;
        }
      }
      return Optional.empty();
    } catch (StartException taken) {
      return Optional.of(String.valueOf(taken.getMessage()));
    }
  }

  /**
   * Makes a change once those before it are done.
   *
   * @param tooMany returned if too many are waiting
   */
  private <T> T queued(Supplier<T> change, T tooMany) {
    try {
      if (requests.incrementAndGet() > REQUESTS_MAX) {
        return tooMany;
      }
      lock.lock();
      try {
        return change.get();
      } finally {
        lock.unlock();
      }
    } finally {
      requests.decrementAndGet();
    }
  }

  /** Whether an operator has stopped accepting. Any thread. */
  boolean isDrained() {
    return isDrained;
  }

  private String whyClosed() {
    return closing.getCount() == 0
        ? "the bridge is draining"
        : "the bridge is still starting; try again";
  }

  private ReloadOutcome run(String cause) {
    ReloadOutcome outcome = outcome();
    metrics.count(outcome);
    switch (outcome) {
      case ReloadOutcome.Applied(List<String> changes) ->
          log.write(
              Event.RELOADED,
              "cause",
              cause,
              "changes",
              changes.isEmpty() ? "none" : String.join("; ", changes));
      case ReloadOutcome.Refused(String message) ->
          message
              .lines()
              .forEach(line -> log.write(Event.RELOAD_REFUSED, "cause", cause, "reason", line));
      case ReloadOutcome.Failed(String message) ->
          log.write(Event.RELOAD_REFUSED, "cause", cause, "reason", message);
      case ReloadOutcome.Impossible(String why) ->
          log.write(Event.RELOAD_REFUSED, "cause", cause, "reason", why);
    }
    return outcome;
  }

  private ReloadOutcome outcome() {
    if (file.isEmpty()) {
      return new ReloadOutcome.Impossible(
          "this bridge was started without a file (--config, WAYMARK_CONFIG): there is nothing to reload");
    }
    if (!isOpen) {
      return new ReloadOutcome.Impossible(whyClosed());
    }
    if (isDrained) {
      return new ReloadOutcome.Impossible(
          "an operator drains the bridge; POST /undrain, then reload");
    }
    LoadedConfig before = inForce;
    try {
      LoadedConfig next = file.get().get();
      ConfigChanges changes = ConfigChanges.between(before, next);
      apply(changes, next);
      return new ReloadOutcome.Applied(changes.lines());
    } catch (ConfigException | StartException refused) {
      return new ReloadOutcome.Refused(String.valueOf(refused.getMessage()));
    } catch (RuntimeException bug) {
      log.write(Event.BUG, "exception", bug);
      return new ReloadOutcome.Failed(
          "a bug in the bridge: " + bug + "; " + stateAfter(bug, before));
    }
  }

  private String stateAfter(RuntimeException bug, LoadedConfig before) {
    if (inForce != before) {
      return "the file is in force, but not everything removed from it is gone";
    }
    return bug.getSuppressed().length == 0
        ? "nothing has changed"
        : "the former configuration is in force, but not all of it could be restored; restart";
  }

  /** Applies the changes; removals come last, when nothing can be refused any more. */
  private void apply(ConfigChanges changes, LoadedConfig next) {
    BridgePools.Checkpoint pools = parts.pools.checkpoint();
    BridgePools.PreparedTls tls = parts.pools.prepareTls(next.config().pools());
    BridgePorts.Prepared ports = preparePorts(next.config(), tls);
    Change change = new Change(changes, next.config(), pools, tls, ports);
    try {
      applyWithoutRemovals(change);
    } catch (RuntimeException bug) {
      undo(change, bug);
      throw bug;
    }
    inForce = next;
    parts.admin.use(next.config().admin());
    runAll(
        List.of(
            () -> parts.ports.closeObsolete(ports),
            () -> parts.pools.closeUnused(pools),
            () -> changes.pools().removed().forEach(parts.pools::retire)),
        null);
  }

  private BridgePorts.Prepared preparePorts(BridgeConfig next, BridgePools.PreparedTls tls) {
    try {
      return parts.ports.prepare(next.listeners());
    } catch (RuntimeException failure) {
      parts.pools.discard(tls);
      throw failure;
    }
  }

  /**
   * Applies additions and changes in an order in which no client sees a partial change: ports are
   * already bound, pools find their upstreams, and then listeners switch to them.
   */
  private void applyWithoutRemovals(Change change) {
    BridgeConfig next = change.next;
    Set<String> changed = change.what.pools().changed().keySet();
    addPools(change.what.pools().added(), change);
    next.pools().stream()
        .filter(pool -> changed.contains(pool.name()))
        .forEach(pool -> parts.pools.reconfigure(pool, change.tls));
    parts.pools.settle();
    parts.shards.configure(
        parts.pools.setups(changed),
        named(next.listeners(), change.what.listeners().addedOrChanged()));
    parts.ports.switchTo(change.ports);
    log(inForce.config().log(), next.log());
  }

  /**
   * Reverts the changes in reverse order. If a step fails, the others still run, and its failure is
   * added to the first as suppressed.
   */
  private void undo(Change change, RuntimeException bug) {
    BridgeConfig now = inForce.config();
    ConfigChanges what = change.what;
    Set<String> former = new HashSet<>(change.pools.names());
    former.retainAll(what.pools().added());
    former.addAll(what.pools().changed().keySet());
    runAll(
        List.of(
            () -> log(change.next.log(), now.log()),
            () -> parts.ports.undo(change.ports),
            () -> parts.pools.restore(change.pools),
            () -> parts.pools.discard(change.tls),
            parts.pools::settle,
            () ->
                parts.shards.configure(
                    parts.pools.setups(former),
                    named(now.listeners(), what.listeners().changed().keySet()))),
        bug);
  }

  /**
   * Runs every step, even if others fail.
   *
   * @param cause the exception that the caller will throw, to which failures are added as
   *     suppressed; null to throw the first failure
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

  private void addPools(Set<String> added, Change change) {
    change.next.pools().stream()
        .filter(pool -> added.contains(pool.name()))
        .forEach(pool -> parts.pools.add(pool, change.tls));
    parts.shards.configure(parts.pools.setups(added), List.of());
    parts.pools.start();
    added.forEach(parts.pools::republish);
    try {
      parts.pools.awaitServing(
          added, new Wait(change.next.get(ProcessKeys.START_TIMEOUT).toNanos()), closing);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static List<ListenerConfig> named(List<ListenerConfig> listeners, Set<String> names) {
    return listeners.stream().filter(listener -> names.contains(listener.name())).toList();
  }

  /**
   * Forgets removed listeners and pools that have no connections left, and shows the pools the
   * lanes. Call it periodically; does nothing during a reload.
   */
  void sweep(BridgeCounters counters) {
    if (lock.tryLock()) {
      try {
        if (isOpen) {
          // Not before: clients that were accepted by a removed listener may still shake hands.
          Set<String> ended = parts.ports.removeEnded();
          if (!ended.isEmpty()) {
            parts.shards.removeListeners(ended);
          }
          ended.forEach(counters::forgetListener);
          parts.pools.retired().stream()
              .filter(parts.shards::removePoolIfUnused)
              .forEach(parts.pools::forget);
          parts.pools.onLanes(parts.shards.lanes().join());
        }
      } finally {
        lock.unlock();
      }
    }
  }
}
