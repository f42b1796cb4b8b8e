package dev.waymark.upstreams;

import dev.waymark.config.PoolConfig.Target.Dns;
import dev.waymark.net.dial.UpstreamProblem;
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
 * Keeps asking for the addresses of a name: again when the smallest TTL ends, within bounds; at
 * once when asked to, but at most once a second; after a failure with exponential back-off; soon
 * after resolv.conf or the hosts file has changed. What was known stays until an answer with
 * addresses says otherwise. Confined to the control thread.
 */
final class DnsDiscovery {
  static final long SOON_INTERVAL_MS = 1_000;

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
  private @Nullable ScheduledFuture<?> nextAsk;
  private @Nullable ScheduledFuture<?> rest;
  private @Nullable ScheduledFuture<?> fileCheck;
  private boolean isAsking;

  /** From a question until {@link #SOON_INTERVAL_MS} later. */
  private boolean isResting;

  private boolean isWantedSoon;
  private boolean isClosed;

  /**
   * @param onFound gets all addresses in numerical order, after every answer
   * @param onFailed gets the reason
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

  void start() {
    ask();
    fileCheck =
        control
            .eventLoop()
            .scheduleWithFixedDelay(
                this::checkFiles,
                ResolverFiles.CHECK_MS,
                ResolverFiles.CHECK_MS,
                TimeUnit.MILLISECONDS);
  }

  /** Other name servers or another hosts file may have another answer. */
  private void checkFiles() {
    if (lookup.isOutdated()) {
      askSoon();
    }
  }

  /** Asks at once, or when the second since the last question is over. */
  void askSoon() {
    if (isResting || isAsking) {
      isWantedSoon = true;
    } else if (!isClosed) {
      ask();
    }
  }

  void close() {
    isClosed = true;
    cancelTimers();
    if (fileCheck != null) {
      fileCheck.cancel(false);
    }
  }

  private void ask() {
    cancelTimers();
    isAsking = true;
    isWantedSoon = false;
    isResting = true;
    rest = control.eventLoop().schedule(this::rested, SOON_INTERVAL_MS, TimeUnit.MILLISECONDS);
    StandstillCheck standstill = new StandstillCheck(control.time());
    lookup.ask(target.host(), answer -> answered(answer, standstill));
  }

  private void rested() {
    isResting = false;
    askIfWanted();
  }

  private void answered(NameLookup.Answer answer, StandstillCheck standstill) {
    isAsking = false;
    if (isClosed) {
      return;
    }
    if (!answer.isAny() && standstill.hasStoodStill()) {
      // The answer may have been there in time.
      ask();
      return;
    }
    nextAsk =
        control
            .eventLoop()
            .schedule(
                this::ask, answer.isAny() ? found(answer) : failed(answer), TimeUnit.MILLISECONDS);
    askIfWanted();
  }

  private void askIfWanted() {
    if (isWantedSoon && !isResting && !isAsking && !isClosed) {
      ask();
    }
  }

  /** Gives out what was found; returns the milliseconds until the next question. */
  private long found(NameLookup.Answer answer) {
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

  private long failed(NameLookup.Answer answer) {
    onFailed.accept(answer.problem());
    return waits.nextMs();
  }

  private void cancelTimers() {
    if (nextAsk != null) {
      nextAsk.cancel(false);
    }
    if (rest != null) {
      rest.cancel(false);
    }
  }
}
