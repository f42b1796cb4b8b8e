package dev.waymark.upstreams;

import dev.waymark.config.BalancingKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.lane.UpstreamView.Subset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.LongStream;

/**
 * What a pool makes of what it hears of its upstreams: health, outlier signals and time go in, the
 * views that the shards get come out. No I/O, no clock. Confined to the control thread.
 *
 * <p>After every input ask for {@link #views} and {@link #nextDeadlineNs} again.
 */
final class PoolState {
  private static final int WHOLE_PERCENT = 100;

  /** What is known of one upstream. */
  private static final class Member {
    Endpoint endpoint;
    UpstreamHealth health = UpstreamHealth.UNKNOWN;

    /** Among the first that were found, and not heard of yet: it was there before the bridge. */
    boolean isFromStart;

    boolean hasServed;

    /** It has no Attach method, whatever its health says. */
    boolean isWithoutAttach;

    /** It said NOT_SERVING after SERVING, and nothing since but that its Watch broke. */
    boolean isLeaving;

    final SlowStart slowStart = new SlowStart();

    Member(Endpoint endpoint, boolean isFromStart) {
      this.endpoint = endpoint;
      this.isFromStart = isFromStart;
    }
  }

  private final PoolEvents events;
  private final OutlierDetector outliers;
  private final Leadership leadership = new Leadership();

  /** By address, in the order of the snapshot. */
  private Map<String, Member> members = new LinkedHashMap<>();

  private PoolConfig config;
  private boolean hasEverFound;

  PoolState(PoolConfig config, PoolEvents events) {
    this.config = config;
    this.events = events;
    this.outliers = new OutlierDetector(config);
  }

  // --- inputs ---

  /** These are the upstreams now; those that stay keep what is known of them. */
  void onUpstreams(long nowNs, List<Endpoint> endpoints) {
    Map<String, Member> before = members;
    members = new LinkedHashMap<>();
    for (Endpoint endpoint : endpoints) {
      Member kept = before.remove(endpoint.address());
      Member member = kept != null ? kept : new Member(endpoint, !hasEverFound);
      member.endpoint = endpoint;
      members.put(endpoint.address(), member);
    }
    hasEverFound |= !members.isEmpty();
    for (String gone : before.keySet()) {
      outliers.onGone(gone);
      leadership.onGone(gone);
    }
    leaveNobodyOut(nowNs);
  }

  /** The Watch of this upstream says, or was lost. */
  void onHealth(long nowNs, String address, UpstreamHealth now) {
    Member member = members.get(address);
    if (member == null) {
      return;
    }
    UpstreamHealth from = member.health;
    if (now != from) {
      member.health = now;
      events.onHealthChanged(config.name(), address, from.name(), now.name());
      leadership.onHealth(address, now);
    }
    if (now.isServing() && !from.isServing() && !member.isFromStart) {
      member.slowStart.start(nowNs);
    }
    member.isFromStart = false;
    // What comes back may be another process.
    member.isWithoutAttach &= now != UpstreamHealth.UNREACHABLE;
    if (now != UpstreamHealth.UNREACHABLE) {
      member.isLeaving = now == UpstreamHealth.NOT_SERVING && member.hasServed;
    }
    member.hasServed |= now.isServing();
    leaveNobodyOut(nowNs);
  }

  /** A lane was refused for want of the Attach method, or it was taken. */
  void onAttach(long nowNs, String address, boolean isRefused) {
    Member member = members.get(address);
    if (member != null) {
      member.isWithoutAttach = isRefused;
      leaveNobodyOut(nowNs);
    }
  }

  /**
   * A shard holds something against this upstream.
   *
   * @return whether the views are others now
   */
  boolean onOutlierSignal(long nowNs, String address, OutlierSignal why) {
    // Where health has said so already there is nothing to eject, unless it is health that cannot
    // be relied on; and a leader is the only one.
    boolean isDueToHealth = why == OutlierSignal.HEALTH_FLOOD && members.containsKey(address);
    if ((!isServing(address) && !isDueToHealth) || config.isFollowingLeader()) {
      return false;
    }
    boolean isAnyOther =
        members.keySet().stream().anyMatch(other -> !other.equals(address) && isServing(other));
    boolean isEjected = outliers.onOutlierSignal(nowNs, address, why, members.size(), isAnyOther);
    if (isEjected) {
      events.onUpstreamEjected(config.name(), address, why, outliers.leftNs(nowNs, address));
    }
    return isEjected;
  }

  /** Time passed. */
  void onDeadline(long nowNs) {
    returned(outliers.onDeadline(nowNs));
  }

  /** Another configuration holds; the upstreams are told by {@link #onUpstreams}. */
  void reconfigure(long nowNs, PoolConfig next) {
    config = next;
    returned(outliers.reconfigure(nowNs, next));
    if (next.isFollowingLeader()) {
      returned(outliers.onNobodyLeft(nowNs));
    }
    leaveNobodyOut(nowNs);
  }

  // --- outputs ---

  /** It announced that it would go, or it follows a leader: that it does not serve is no news. */
  boolean isExpectedNotToServe(String address) {
    Member member = members.get(address);
    return member != null
        && (member.isLeaving
            || (config.isFollowingLeader()
                && member.health == UpstreamHealth.NOT_SERVING
                && members.keySet().stream().anyMatch(this::isServing)));
  }

  /** It has no health service. */
  boolean isWithoutHealth(String address) {
    Member member = members.get(address);
    return member != null && member.health == UpstreamHealth.UNIMPLEMENTED;
  }

  List<Endpoint> endpoints() {
    return members.values().stream().map(member -> member.endpoint).toList();
  }

  /** All upstreams as the shards are to see them. */
  List<UpstreamView> views(long nowNs) {
    return members.values().stream().map(member -> view(nowNs, member)).toList();
  }

  /** When to call {@link #onDeadline} and to look at the views again, if nothing else happens. */
  OptionalLong nextDeadlineNs(long nowNs) {
    LongStream steps =
        members.values().stream()
            .map(member -> member.slowStart.nextStepNs(nowNs, slowStartNs()))
            .flatMapToLong(OptionalLong::stream);
    OptionalLong leftNs =
        LongStream.concat(steps, outliers.nextDeadlineNs(nowNs).stream())
            .map(deadlineNs -> deadlineNs - nowNs)
            .min();
    return leftNs.isEmpty() ? leftNs : OptionalLong.of(nowNs + leftNs.getAsLong());
  }

  // --- transitions ---

  private UpstreamView view(long nowNs, Member member) {
    Endpoint endpoint = member.endpoint;
    return new UpstreamView(
        endpoint.address(),
        state(member),
        member.health.name(),
        endpoint.weight(),
        member.slowStart.percent(nowNs, slowStartNs()),
        subset(endpoint),
        endpoint.labels());
  }

  private UpstreamState state(Member member) {
    String address = member.endpoint.address();
    if (member.isWithoutAttach) {
      return UpstreamState.DOWN;
    }
    if (config.isFollowingLeader()) {
      return leadership.isLeader(address)
          ? UpstreamState.SERVING
          : leadership.isFormerLeader(address) ? UpstreamState.DRAINING : UpstreamState.DOWN;
    }
    if (!member.health.isServing()) {
      return member.isLeaving ? UpstreamState.DRAINING : UpstreamState.DOWN;
    }
    if (subset(member.endpoint).sharePercent() == 0) {
      return UpstreamState.DRAINING;
    }
    return outliers.isEjected(address) ? UpstreamState.EJECTED : UpstreamState.SERVING;
  }

  /** The first one that it fits, else the rest, which has what they leave. */
  private Subset subset(Endpoint endpoint) {
    int restPercent = WHOLE_PERCENT;
    int number = 0;
    for (PoolConfig.Subset subset : config.subsets()) {
      if (subset.has(endpoint.labels())) {
        return new Subset(number, subset.sharePercent());
      }
      restPercent -= subset.sharePercent();
      number++;
    }
    return new Subset(number, restPercent);
  }

  private boolean isServing(String address) {
    Member member = members.get(address);
    return member != null && state(member) == UpstreamState.SERVING;
  }

  /** An ejected upstream is better than none. */
  private void leaveNobodyOut(long nowNs) {
    if (members.keySet().stream().noneMatch(this::isServing)) {
      returned(outliers.onNobodyLeft(nowNs));
    }
  }

  private void returned(List<String> upstreams) {
    upstreams.forEach(upstream -> events.onUpstreamReturned(config.name(), upstream));
  }

  private long slowStartNs() {
    return config.get(BalancingKeys.SLOW_START).toNanos();
  }
}
