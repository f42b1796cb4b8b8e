package dev.waymark.upstreams.discovery;

import dev.waymark.config.PoolConfig.Target.Dns;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import dev.waymark.upstreams.control.StandstillCheck;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Resolves a name again and again: when the smallest TTL expires, within bounds; on request, but at
 * most once a second; after a failure, with exponential back-off; and soon after resolv.conf or the
 * hosts file has changed. Known addresses stay until an answer with addresses replaces them.
 * Confined to the control thread.
 */
final class DnsDiscovery implements DiscoverySource {
  static final long INTERVAL_MIN_MS = 1_000;

  private static final Comparator<InetAddress> BY_FAMILY_AND_NUMBER =
      Comparator.<InetAddress>comparingInt(a -> a.getAddress().length)
          .thenComparing(InetAddress::getAddress, Arrays::compareUnsigned);

  private final Dns target;
  private final ControlLoop control;
  private final NameLookup lookup;
  private final RetryWaits waits;
  private final Consumer<List<InetAddress>> onFound;
  private final Consumer<UpstreamProblem> onFailed;

  private List<InetAddress> ipv4 = List.of();
  private List<InetAddress> ipv6 = List.of();
  private @Nullable ScheduledFuture<?> nextResolve;
  private @Nullable ScheduledFuture<?> cooldown;
  private @Nullable ScheduledFuture<?> fileCheck;
  private boolean isResolving;

  /** True for {@link #INTERVAL_MIN_MS} after each lookup began. */
  private boolean isCoolingDown;

  private boolean isResolveRequested;
  private boolean isClosed;

  /**
   * @param onFound receives all addresses in numerical order, after every answer with addresses
   * @param onFailed receives the reason
   */
  DnsDiscovery(
      Dns target,
      ControlLoop control,
      NameLookup lookup,
      RetryWaits waits,
      Consumer<List<InetAddress>> onFound,
      Consumer<UpstreamProblem> onFailed) {
    this.target = target;
    this.control = control;
    this.lookup = lookup;
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
    if (lookup.isOutdated()) {
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
    lookup.resolve(target.host(), answer -> onAnswer(answer, standstill));
  }

  private void onCooldownEnd() {
    isCoolingDown = false;
    resolveIfRequested();
  }

  private void onAnswer(NameLookup.Answer answer, StandstillCheck standstill) {
    isResolving = false;
    if (isClosed) {
      return;
    }
    if (!answer.hasAddresses() && standstill.hasStoodStill()) {
      // The answer may have arrived in time.
      resolve();
      return;
    }
    nextResolve =
        control
            .eventLoop()
            .schedule(
                this::resolve,
                answer.hasAddresses() ? onFound(answer) : onFailed(answer),
                TimeUnit.MILLISECONDS);
    resolveIfRequested();
  }

  private void resolveIfRequested() {
    if (isResolveRequested && !isCoolingDown && !isResolving && !isClosed) {
      resolve();
    }
  }

  /** Publishes the addresses; returns the milliseconds until the next lookup. */
  private long onFound(NameLookup.Answer answer) {
    waits.reset();
    ipv4 = answer.ipv4().isAnswered() ? answer.ipv4().addresses() : ipv4;
    ipv6 = answer.ipv6().isAnswered() ? answer.ipv6().addresses() : ipv6;
    onFound.accept(
        Stream.concat(ipv4.stream(), ipv6.stream())
            .distinct()
            .sorted(BY_FAMILY_AND_NUMBER)
            .toList());
    long ttlSeconds = Math.min(answer.ipv4().ttlSeconds(), answer.ipv6().ttlSeconds());
    return waits.clampMs(TimeUnit.SECONDS.toMillis(ttlSeconds));
  }

  /** Reports the failure; returns the milliseconds until the next lookup. */
  private long onFailed(NameLookup.Answer answer) {
    onFailed.accept(answer.problem());
    return waits.nextMs();
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
