package dev.waymark.net.admission;

import dev.waymark.net.admission.Verdict.Admitted;
import dev.waymark.net.admission.Verdict.Refused;
import dev.waymark.net.admission.Verdict.Why;
import java.net.InetAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides who may connect to a listener. Thread-safe: clients arrive on one thread, or behind a
 * proxy on those of all shards, and leave on these. A lock guards the counts; without limits by
 * source or rate it is never taken. All callers must have the same clock.
 */
public final class Admission {
  /** How many sources a listener remembers. */
  public static final int SOURCES_MAX = 100_000;

  private final Object lock = new Object();
  private final SourceTable sources;
  private final AcceptBucket accepts;
  private boolean isStarted;
  private volatile AdmissionLimits limits;

  public Admission(AdmissionLimits limits, long nowNs) {
    this(limits, SOURCES_MAX, nowNs);
  }

  Admission(AdmissionLimits limits, int sourcesMax, long nowNs) {
    this.limits = limits;
    this.sources = new SourceTable(sourcesMax);
    this.accepts = new AcceptBucket(nowNs);
  }

  /** The listener begins to accept: the ramp starts. Has no effect the second time. */
  public void start(long nowNs) {
    synchronized (lock) {
      if (!isStarted) {
        isStarted = true;
        accepts.start(nowNs);
      }
    }
  }

  /** From now on, these limits apply. What was counted stays. */
  public void limits(AdmissionLimits next) {
    limits = next;
  }

  /**
   * Decides about one client.
   *
   * @param address of the client; null if there is none, because it came through a proxy that does
   *     not name it: then only the limits for all sources together apply
   */
  public Verdict admit(@Nullable InetAddress address, long nowNs) {
    AdmissionLimits now = limits;
    if (address != null && now.hasNetworks()) {
      Refused refused = byNetwork(now, address);
      if (refused != null) {
        return refused;
      }
    }
    InetAddress source = now.isPerSource() ? address : null;
    if (source == null && now.rate().isEmpty()) {
      return Admitted.UNCOUNTED;
    }
    synchronized (lock) {
      return source == null ? inAll(now, nowNs) : bySource(now, source, nowNs);
    }
  }

  /**
   * The narrower of an allowed and a denied network decides; if both are the same, it is denied.
   */
  private static @Nullable Refused byNetwork(AdmissionLimits now, InetAddress address) {
    Network denied = now.denied().find(address);
    Network allowed = now.allowed().find(address);
    if (denied != null && (allowed == null || allowed.bits() <= denied.bits())) {
      return new Refused(Why.NETWORK_DENIED, denied.toString());
    }
    return allowed == null && !now.allowed().isEmpty()
        ? new Refused(Why.NETWORK_NOT_ALLOWED, "in none of " + now.allowed().size())
        : null;
  }

  /** Takes nothing from anybody unless nothing refuses. */
  private Verdict bySource(AdmissionLimits now, InetAddress address, long nowNs) {
    Source known = sources.find(address);
    int max = now.connectionsPerSource();
    if (known != null && max > 0 && known.connections() >= max) {
      return refused(Why.SOURCE_CONNECTIONS, address, Integer.toString(max));
    }
    Optional<Rate> rate = now.ratePerSource();
    if (known != null && rate.isPresent() && !known.allows(rate.get(), nowNs)) {
      return refused(Why.SOURCE_RATE, address, rate.get().toString());
    }
    if (inAll(now, nowNs) instanceof Refused refused) {
      return refused;
    }
    Source source = known == null ? sources.add(address, nowNs) : known;
    source.enter();
    rate.ifPresent(each -> source.take(each, nowNs));
    return new Admitted(source);
  }

  private static Refused refused(Why why, InetAddress address, String limit) {
    return new Refused(why, SourceTable.text(address) + " over " + limit);
  }

  private Verdict inAll(AdmissionLimits now, long nowNs) {
    if (now.rate().isEmpty() || accepts.take(now.rate().get(), now.rampNs(), nowNs)) {
      return Admitted.UNCOUNTED;
    }
    boolean isRamping = accepts.isRamping(now.rampNs(), nowNs);
    Why why = isRamping ? Why.ACCEPT_RAMP : Why.ACCEPT_RATE;
    return new Refused(why, "over " + now.rate().get());
  }

  /** A connection has ended that counted for this source. */
  public void leave(Source source) {
    synchronized (lock) {
      sources.leave(source);
    }
  }

  /** How many sources are remembered now. */
  public int sourceCount() {
    synchronized (lock) {
      return sources.size();
    }
  }

  /** How many sources were forgotten to make room, although there was something to remember. */
  public long forgottenCount() {
    synchronized (lock) {
      return sources.forgottenCount();
    }
  }
}
