package dev.waymark.upstreams;

import dev.waymark.config.BalancingKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.lane.UpstreamView.Subset;
import dev.waymark.upstreams.PoolReport.Ejection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;

/**
 * The state of one pool: turns health changes, outlier signals and time into the views that shards
 * receive. No I/O, no clock. Confined to the control thread.
 *
 * <p>Call {@link #views} and {@link #nextDeadlineNs} again after every input.
 */
final class PoolState {
  private static final int WHOLE_PERCENT = 100;

  /** How many upstreams may be drained by operators, counting those that discovery lost. */
  static final int DRAINED_MAX = 1_000;

  /** One upstream. */
  private static final class Member {
    Endpoint endpoint;
    UpstreamHealth health = UpstreamHealth.UNKNOWN;

    /**
     * Whether it may have been running before the bridge, which exempts it from slow start: it was
     * among the first upstreams found, and no health has arrived yet.
     */
    boolean predatesBridge;

    boolean hasServed;

    /** Whether it has no Attach method; overrides its health. */
    boolean lacksAttach;

    /** Whether it served once and its last status was NOT_SERVING; survives a broken Watch. */
    boolean isLeaving;

    final SlowStart slowStart = new SlowStart();

    Member(Endpoint endpoint, boolean predatesBridge) {
      this.endpoint = endpoint;
      this.predatesBridge = predatesBridge;
    }
  }

  private final PoolEvents events;
  private final OutlierDetector outliers;
  private final Leadership leadership = new Leadership();

  /** By address, in snapshot order. */
  private Map<String, Member> members = new LinkedHashMap<>();

  /**
   * The upstreams that operators drain. They stay drained while discovery does not list them:
   * somebody may restart them meanwhile.
   */
  private final Set<String> drained = new TreeSet<>();

  private PoolConfig config;
  private boolean hasFoundAny;

  PoolState(PoolConfig config, PoolEvents events) {
    this.config = config;
    this.events = events;
    this.outliers = new OutlierDetector(config);
  }

  // --- inputs ---

  /** Replaces the upstreams; those that stay keep their health and history. */
  void onUpstreams(long nowNs, List<Endpoint> endpoints) {
    Map<String, Member> before = members;
    members = new LinkedHashMap<>();
    for (Endpoint endpoint : endpoints) {
      Member kept = before.remove(endpoint.address());
      Member member = kept != null ? kept : new Member(endpoint, !hasFoundAny);
      member.endpoint = endpoint;
      members.put(endpoint.address(), member);
    }
    hasFoundAny |= !members.isEmpty();
    for (String gone : before.keySet()) {
      outliers.onGone(gone);
      leadership.onGone(gone);
    }
    endEjectionsIfNoneServes(nowNs);
  }

  /**
   * Called when the Watch of this upstream reports a status, or is lost.
   *
   * @return whether its health has changed
   */
  boolean onHealth(long nowNs, String address, UpstreamHealth now) {
    Member member = members.get(address);
    if (member == null) {
      return false;
    }
    UpstreamHealth from = member.health;
    if (now != from) {
      member.health = now;
      events.onHealthChanged(config.name(), address, from.name(), now.name());
      leadership.onHealth(address, now);
    }
    if (now.isServing() && !from.isServing() && !member.predatesBridge) {
      member.slowStart.start(nowNs);
    }
    member.predatesBridge = false;
    // Whatever comes back may be a different process.
    member.lacksAttach &= now != UpstreamHealth.UNREACHABLE;
    if (now != UpstreamHealth.UNREACHABLE) {
      member.isLeaving = now == UpstreamHealth.NOT_SERVING && member.hasServed;
    }
    member.hasServed |= now.isServing();
    endEjectionsIfNoneServes(nowNs);
    return now != from;
  }

  /** Called when a lane was accepted, or refused because there is no Attach method. */
  void onAttach(long nowNs, String address, boolean isRefused) {
    Member member = members.get(address);
    if (member != null) {
      member.lacksAttach = isRefused;
      endEjectionsIfNoneServes(nowNs);
    }
  }

  /**
   * Called for an outlier signal about this upstream.
   *
   * @return whether the views have changed
   */
  boolean onOutlierSignal(long nowNs, String address, OutlierSignal why) {
    // An upstream that does not serve need not be ejected, unless its health is what cannot be
    // trusted. A leader has no substitute.
    boolean isHealthFlood = why == OutlierSignal.HEALTH_FLOOD && members.containsKey(address);
    if ((!isServing(address) && !isHealthFlood) || config.isFollowingLeader()) {
      return false;
    }
    boolean isAnotherServing =
        members.keySet().stream().anyMatch(other -> !other.equals(address) && isServing(other));
    boolean isEjected =
        outliers.onOutlierSignal(nowNs, address, why, members.size(), isAnotherServing);
    if (isEjected) {
      events.onUpstreamEjected(config.name(), address, why, outliers.leftNs(nowNs, address));
    }
    return isEjected;
  }

  /** An operator drains an upstream, or ends that. */
  OperatorDrain onOperatorDrain(long nowNs, String address, boolean isDrained) {
    if (!isDrained) {
      return drained.remove(address) ? OperatorDrain.DONE : OperatorDrain.UNKNOWN;
    }
    if (!members.containsKey(address)) {
      return OperatorDrain.UNKNOWN;
    }
    if (config.isFollowingLeader()) {
      return OperatorDrain.LEADER;
    }
    if (drained.size() >= DRAINED_MAX && !drained.contains(address)) {
      return OperatorDrain.TOO_MANY;
    }
    drained.add(address);
    endEjectionsIfNoneServes(nowNs);
    return OperatorDrain.DONE;
  }

  /** Ends ejections whose time is over. */
  void onDeadline(long nowNs) {
    onReturned(outliers.onDeadline(nowNs));
  }

  /** Applies a new configuration; its upstreams follow with {@link #onUpstreams}. */
  void reconfigure(long nowNs, PoolConfig next) {
    config = next;
    onReturned(outliers.reconfigure(nowNs, next));
    if (next.isFollowingLeader()) {
      onReturned(outliers.endAll(nowNs));
    }
    endEjectionsIfNoneServes(nowNs);
  }

  // --- outputs ---

  /** Whether it is no news that it does not serve: it is leaving, or another one leads. */
  boolean isExpectedDown(String address) {
    Member member = members.get(address);
    return member != null
        && (member.isLeaving
            || (config.isFollowingLeader()
                && member.health == UpstreamHealth.NOT_SERVING
                && members.keySet().stream().anyMatch(this::isServing)));
  }

  /** Whether it has no health service. */
  boolean lacksHealthService(String address) {
    Member member = members.get(address);
    return member != null && member.health == UpstreamHealth.UNIMPLEMENTED;
  }

  List<Endpoint> endpoints() {
    return members.values().stream().map(member -> member.endpoint).toList();
  }

  /** The upstreams that operators drain. */
  Set<String> drained() {
    return Set.copyOf(drained);
  }

  /** Why an upstream is ejected, and until when; empty if it is not. */
  Optional<Ejection> ejection(String address) {
    return outliers.ejection(address);
  }

  /** Returns all upstreams, as shards see them. */
  List<UpstreamView> views(long nowNs) {
    int priority = servingPriority();
    return members.values().stream().map(member -> view(nowNs, member, priority)).toList();
  }

  /** Returns when to call {@link #onDeadline} and {@link #views} again, if no input comes first. */
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

  /** The priority number that gets the connections, by health alone; shards also see lanes. */
  private int servingPriority() {
    return config.isFollowingLeader()
        ? Integer.MAX_VALUE
        : members.values().stream()
            .filter(member -> state(member) == UpstreamState.SERVING)
            .mapToInt(member -> member.endpoint.priority())
            .min()
            .orElse(Integer.MAX_VALUE);
  }

  private UpstreamView view(long nowNs, Member member, int servingPriority) {
    Endpoint endpoint = member.endpoint;
    UpstreamState state = state(member);
    boolean isStandby = state == UpstreamState.SERVING && endpoint.priority() > servingPriority;
    return new UpstreamView(
        endpoint.address(),
        isStandby ? UpstreamState.STANDBY : state,
        member.health.name(),
        endpoint.weight(),
        member.slowStart.percent(nowNs, slowStartNs()),
        endpoint.priority(),
        subset(endpoint),
        endpoint.labels());
  }

  /** Its state for itself, whatever the priorities of others. */
  private UpstreamState state(Member member) {
    String address = member.endpoint.address();
    if (member.lacksAttach) {
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
    if (drained.contains(address) || subset(member.endpoint).sharePercent() == 0) {
      return UpstreamState.DRAINING;
    }
    return outliers.isEjected(address) ? UpstreamState.EJECTED : UpstreamState.SERVING;
  }

  /** Returns the first matching subset; if none matches, the rest, with the remaining share. */
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
  private void endEjectionsIfNoneServes(long nowNs) {
    if (members.keySet().stream().noneMatch(this::isServing)) {
      onReturned(outliers.endAll(nowNs));
    }
  }

  private void onReturned(List<String> upstreams) {
    upstreams.forEach(upstream -> events.onUpstreamReturned(config.name(), upstream));
  }

  private long slowStartNs() {
    return config.get(BalancingKeys.SLOW_START).toNanos();
  }
}
