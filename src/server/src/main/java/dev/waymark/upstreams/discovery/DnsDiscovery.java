package dev.waymark.upstreams.discovery;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import dev.waymark.upstreams.control.StandstillCheck;
import dev.waymark.upstreams.discovery.Records.Outcome;
import dev.waymark.upstreams.names.ResolverFiles;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks for DNS records again and again: when the smallest TTL expires, within bounds; on request,
 * but at most once a second; after a failure, with exponential back-off; and soon after resolv.conf
 * or the hosts file has changed. Known upstreams stay until an answer with some replaces them.
 * Confined to the control thread.
 */
final class DnsDiscovery implements DiscoverySource {
  static final long INTERVAL_MIN_MS = 1_000;

  private final ControlLoop control;
  private final Records records;
  private final RetryWaits waits;
  private final Consumer<List<Endpoint>> onFound;
  private final Consumer<UpstreamProblem> onFailed;

  private @Nullable ScheduledFuture<?> nextResolve;
  private @Nullable ScheduledFuture<?> cooldown;
  private @Nullable ScheduledFuture<?> fileCheck;
  private boolean isResolving;

  /** True for {@link #INTERVAL_MIN_MS} after each lookup began. */
  private boolean isCoolingDown;

  private boolean isResolveRequested;
  private boolean isClosed;

  /**
   * @param onFound receives all upstreams, after every answer with some
   * @param onFailed receives the reason
   */
  DnsDiscovery(
      ControlLoop control,
      Records records,
      RetryWaits waits,
      Consumer<List<Endpoint>> onFound,
      Consumer<UpstreamProblem> onFailed) {
    this.control = control;
    this.records = records;
    this.waits = waits;
    this.onFound = onFound;
    this.onFailed = onFailed;
  }

  @Override
  public void start() {
    resolve();
    fileCheck =
        control
            .eventLoop()
            .scheduleWithFixedDelay(
                this::resolveIfFilesChanged,
                ResolverFiles.CHECK_MS,
                ResolverFiles.CHECK_MS,
                TimeUnit.MILLISECONDS);
  }

  /** New name servers or a new hosts file may give a different answer. */
  private void resolveIfFilesChanged() {
    if (records.isOutdated()) {
      refreshSoon();
    }
  }

  /** Resolves at once, or after the current lookup and its minimum interval. */
  @Override
  public void refreshSoon() {
    if (isCoolingDown || isResolving) {
      isResolveRequested = true;
    } else if (!isClosed) {
      resolve();
    }
  }

  @Override
  public void close() {
    isClosed = true;
    cancelTimers();
    if (fileCheck != null) {
      fileCheck.cancel(false);
    }
  }

  private void resolve() {
    cancelTimers();
    isResolving = true;
    isResolveRequested = false;
    isCoolingDown = true;
    cooldown =
        control.eventLoop().schedule(this::onCooldownEnd, INTERVAL_MIN_MS, TimeUnit.MILLISECONDS);
    StandstillCheck standstill = new StandstillCheck(control.time());
    records.look(outcome -> onOutcome(outcome, standstill));
  }

  private void onCooldownEnd() {
    isCoolingDown = false;
    resolveIfRequested();
  }

  private void onOutcome(Outcome outcome, StandstillCheck standstill) {
    isResolving = false;
    if (isClosed) {
      return;
    }
    if (outcome instanceof Outcome.Failed && standstill.hasStoodStill()) {
      // The answer may have arrived in time.
      resolve();
      return;
    }
    long waitMs =
        switch (outcome) {
          case Outcome.Found(List<Endpoint> upstreams, long ttlSeconds) -> {
            waits.reset();
            onFound.accept(upstreams);
            yield waits.clampMs(TimeUnit.SECONDS.toMillis(ttlSeconds));
          }
          case Outcome.Failed(UpstreamProblem problem) -> {
            onFailed.accept(problem);
            yield waits.nextMs();
          }
        };
    nextResolve = control.eventLoop().schedule(this::resolve, waitMs, TimeUnit.MILLISECONDS);
    resolveIfRequested();
  }

  private void resolveIfRequested() {
    if (isResolveRequested && !isCoolingDown && !isResolving && !isClosed) {
      resolve();
    }
  }

  private void cancelTimers() {
    if (nextResolve != null) {
      nextResolve.cancel(false);
    }
    if (cooldown != null) {
      cooldown.cancel(false);
    }
  }
}
