package dev.waymark.core;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * A pool as one shard sees it: a lane to every upstream, and the connections that wait for one.
 * Confined to its shard's thread, but for the counters and the balancer.
 */
final class ShardPool {
  /** Where an upstream stands here. */
  private static final class Place {
    private UpstreamView view;
    private boolean isGone;
    private Lane lane;
    private int failures;
    private long retryAtNs;

    private Place(UpstreamView view, Lane lane) {
      this.view = view;
      this.lane = lane;
    }
  }

  private final Shard shard;
  private final Balancer balancer;
  private final Hello hello;
  private final RandomGenerator random;
  private final ShardCounters counters;
  private final Map<String, Place> places = new LinkedHashMap<>();
  private final LinkedHashSet<Connection> waiting = new LinkedHashSet<>();
  private final List<Lane> eligible = new ArrayList<>();

  /** They would be eligible if their transport took more; taken where there is no other. */
  private final List<Lane> full = new ArrayList<>();

  private PoolOptions options;
  private long version;

  ShardPool(
      PoolOptions options,
      Shard shard,
      Balancer balancer,
      Hello hello,
      RandomGenerator random,
      ShardCounters counters) {
    this.options = options;
    this.shard = shard;
    this.balancer = balancer;
    this.hello = hello;
    this.random = random;
    this.counters = counters;
  }

  // --- inputs ---

  /** Discovery or health changed. */
  void onSnapshot(long nowNs, PoolSnapshot snapshot) {
    if (snapshot.version() <= version) {
      return;
    }
    version = snapshot.version();
    places.values().forEach(place -> place.isGone = true);
    for (UpstreamView view : snapshot.upstreams()) {
      Place known = places.get(view.address());
      if (known == null) {
        places.put(view.address(), new Place(view, newLane(nowNs, view)));
      } else {
        if (view.isServing() && !known.view.isServing()) {
          known.retryAtNs = nowNs;
        }
        known.view = view;
        known.lane.onUpstreamChanged(view);
        known.isGone = false;
      }
    }
    forgetUnused();
    refresh(nowNs);
  }

  /** A connection without an owner: it gets one, now or later, or ends. */
  void assign(long nowNs, Connection connection) {
    if (isAnyEligible()) {
      attach(nowNs, connection);
    } else if (options.noUpstreamWaitNs() == 0) {
      connection.endByBridge(nowNs, CloseReason.NO_UPSTREAM, CloseReason.Origin.BRIDGE);
    } else {
      waiting.add(connection);
      connection.armDeadline();
    }
  }

  void stopWaiting(Connection connection) {
    waiting.remove(connection);
  }

  void onLaneOpen(long nowNs, Lane lane) {
    shard.events().onLaneOpen(options.name(), lane.upstream().address());
    refresh(nowNs);
  }

  void onLaneWritable(long nowNs) {
    refresh(nowNs);
  }

  void onLaneFull(Lane lane) {
    if (eligible.remove(lane)) {
      full.add(lane);
    }
  }

  void onLaneDraining(Lane lane) {
    shard.events().onUpstreamDraining(options.name(), lane.upstream().address());
    notEligible(lane);
  }

  void onLaneBroken(long nowNs, Lane lane, String cause, boolean wasOpen, int connections) {
    notEligible(lane);
    Place place = places.get(lane.upstream().address());
    if (place != null && place.lane == lane) {
      // One that ends as soon as it has said Settings has not worked either.
      boolean hasWorked = lane.hasWorkedFor(nowNs, longestRetryNs(place.failures));
      place.failures = hasWorked ? 1 : place.failures + 1;
      place.retryAtNs = nowNs + retryNs(place.failures);
    }
    forgetUnused();
    if (wasOpen) {
      shard.events().onLaneBroken(options.name(), lane.upstream().address(), cause, connections);
      suspect(lane, Suspicion.LANE_BROKEN);
    } else if (lane.upstream().isServing()) {
      shard.events().onLaneRefused(options.name(), lane.upstream().address(), cause);
      suspect(lane, Suspicion.LANE_REFUSED);
    }
  }

  /** Tells the control plane, which may eject the upstream. */
  void suspect(Lane lane, Suspicion why) {
    shard.events().onUpstreamSuspect(options.name(), lane.upstream().address(), why);
  }

  void onAttached(Connection connection, Lane lane) {
    balancer.onAttached(lane.upstream());
    shard
        .events()
        .onConnectionAttached(
            connection.mark(), options.name(), lane.upstream().address(), connection.epoch());
  }

  void onDetached(Lane lane) {
    balancer.onDetached(lane.upstream());
    if (lane.connectionCount() == 0) {
      forgetUnused();
    }
  }

  void onTick(long nowNs) {
    for (Place place : List.copyOf(places.values())) {
      place.lane.onTick(nowNs);
      if (place.lane.isBroken() && !place.isGone && place.retryAtNs - nowNs <= 0) {
        place.lane = newLane(nowNs, place.view);
      }
    }
  }

  /** Other options of the same name. */
  void onOptions(PoolOptions next) {
    options = next;
  }

  /** It is no longer configured, and nobody needs it: every lane is finished and forgotten. */
  void remove() {
    places.values().forEach(place -> place.isGone = true);
    forgetUnused();
  }

  /** The bridge ends: every lane is finished. */
  void finish() {
    places.values().forEach(place -> place.lane.finish());
    places.clear();
    eligible.clear();
    full.clear();
  }

  // --- outputs ---

  PoolOptions options() {
    return options;
  }

  Hello hello() {
    return hello;
  }

  List<LaneStatus> status() {
    return places.values().stream().map(place -> place.lane.status()).toList();
  }

  // --- transitions ---

  private void attach(long nowNs, Connection connection) {
    Balancer.Candidate chosen =
        balancer.choose(
            eligible.isEmpty() ? full : eligible, connection.clientHost(), connection.mark());
    connection.attach(nowNs, (Lane) chosen);
  }

  private Lane newLane(long nowNs, UpstreamView view) {
    return new Lane(nowNs, this, shard, view, counters.upstream(options.name(), view.address()));
  }

  private boolean isAnyEligible() {
    return !eligible.isEmpty() || !full.isEmpty();
  }

  /** No connection is given to it any more. */
  void notEligible(Lane lane) {
    eligible.remove(lane);
    full.remove(lane);
  }

  private void refresh(long nowNs) {
    eligible.clear();
    full.clear();
    for (Place place : places.values()) {
      if (!place.isGone && place.view.isServing() && place.lane.isTakingConnections()) {
        (place.lane.isWritable() ? eligible : full).add(place.lane);
      }
    }
    while (isAnyEligible() && !waiting.isEmpty()) {
      Connection first = waiting.removeFirst();
      attach(nowNs, first);
    }
  }

  private void forgetUnused() {
    for (Iterator<Place> each = places.values().iterator(); each.hasNext(); ) {
      Place place = each.next();
      if (place.isGone && place.lane.connectionCount() == 0) {
        each.remove();
        notEligible(place.lane);
        place.lane.finish();
        counters.forgetUpstream(options.name(), place.view.address());
      }
    }
  }

  /**
   * Doubled with each failure, with full jitter in its upper half, so that shards and bridges do
   * not retry in step.
   */
  private long retryNs(int failures) {
    long longestNs = longestRetryNs(failures);
    return longestNs / 2 + random.nextLong(longestNs / 2 + 1);
  }

  private long longestRetryNs(int failures) {
    Limits limits = shard.limits();
    int doublings = Math.clamp(failures - 1, 0, 30);
    long cappedNs = Math.min(limits.laneRetryMaxNs(), limits.laneRetryMinNs() << doublings);
    return cappedNs <= 0 ? limits.laneRetryMaxNs() : cappedNs;
  }
}
