package dev.waymark.core;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A pool as one shard sees it: a lane to every upstream, and the connections that wait for one.
 * Confined to its shard's thread, but for the counters and the balancer.
 */
final class ShardPool {
  /**
   * Re-opens in one turn: those whose upstream lives are not to wait for those that lost theirs.
   */
  static final int PLACED_PER_TURN = 256;

  /** Where an upstream stands here. */
  private static final class Place {
    private UpstreamView view;
    private boolean isGone;
    private Lane lane;
    private int failures;
    private long retryAtNs;
    private boolean hasAcknowledged;
    private boolean isLeft;
    private long leftSinceNs;

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
  private final Mover mover;
  private final Map<String, Place> places = new LinkedHashMap<>();

  /** Nobody takes them now. */
  private final LinkedHashSet<Connection> waiting = new LinkedHashSet<>();

  /** To be given to others, a portion in each turn. */
  private final LinkedHashSet<Connection> placing = new LinkedHashSet<>();

  private final LastChances lastChances = new LastChances();
  private final List<Lane> eligible = new ArrayList<>();

  /** They would be eligible if their transport took more; taken where there is no other. */
  private final List<Lane> full = new ArrayList<>();

  private PoolOptions options;
  private long version;

  ShardPool(
      long nowNs,
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
    this.mover = new Mover(nowNs, shard, balancer);
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
        places.put(view.address(), new Place(view, newLane(nowNs, view, false)));
      } else {
        onView(nowNs, known, view);
      }
    }
    settleViews(nowNs);
  }

  /** Who leads, who may be given connections and who is left follows from views and options. */
  private void settleViews(long nowNs) {
    for (Place place : List.copyOf(places.values())) {
      boolean isHeld = options.moving().isFollowingLeader() && !place.view.isServing();
      place.lane.holdBack(nowNs, isHeld);
    }
    forgetUnused();
    refresh(nowNs);
    moveAway(nowNs);
  }

  private void onView(long nowNs, Place known, UpstreamView view) {
    if (view.isServing() && !known.view.isServing()) {
      known.retryAtNs = nowNs;
    }
    if (view.isServing()
        && (view.effectiveWeight() != known.view.effectiveWeight()
            || !view.subset().equals(known.view.subset()))) {
      mover.rebalanceSoon(nowNs);
    }
    known.view = view;
    known.isGone = false;
    known.lane.onUpstreamChanged(view);
  }

  /** A new connection: it gets an owner, now or later, or ends. */
  void assign(long nowNs, Connection connection) {
    place(nowNs, connection);
  }

  /** A connection that has left its owner: it gets another at the end of a turn. */
  void assignAgain(Connection connection) {
    placing.add(connection);
    shard.requestTurnEnd();
  }

  /**
   * A turn ends: so many get another owner.
   *
   * @return whether there are more
   */
  boolean placeSome(long nowNs) {
    placeLastChances(nowNs);
    for (int left = PLACED_PER_TURN; left > 0 && !placing.isEmpty(); left--) {
      place(nowNs, placing.removeFirst());
    }
    return !placing.isEmpty();
  }

  void stopWaiting(Connection connection) {
    waiting.remove(connection);
    placing.remove(connection);
    lastChances.forget(connection);
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

  void onLaneDraining(long nowNs, Lane lane) {
    shard.events().onUpstreamDraining(options.name(), lane.upstream().address());
    notEligible(lane);
    moveAway(nowNs);
  }

  void onLaneBroken(long nowNs, Lane lane, String cause, boolean wasOpen, int connections) {
    notEligible(lane);
    Place place = places.get(lane.upstream().address());
    if (place != null && place.lane == lane) {
      // One that ends as soon as it has said Settings has not worked either.
      boolean hasWorked = lane.hasWorkedFor(nowNs, longestRetryNs(place.failures));
      place.failures = hasWorked ? 1 : place.failures + 1;
      place.retryAtNs = nowNs + retryNs(place.failures);
      place.hasAcknowledged |= lane.isAcknowledging();
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
        place.lane = newLane(nowNs, place.view, place.hasAcknowledged);
      }
    }
    lastChances.forgetOver(nowNs);
    if (lastChances.first() != null) {
      shard.requestTurnEnd();
    }
    moveAway(nowNs);
    if (options.moving().isRebalancing()) {
      // A Release may fill a lane, which is eligible no more then.
      mover.rebalance(nowNs, List.copyOf(eligible));
    }
  }

  /** Other options of the same name. */
  void onOptions(long nowNs, PoolOptions next) {
    options = next;
    settleViews(nowNs);
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

  private void place(long nowNs, Connection connection) {
    boolean isLastChance = connection.ownership().isOnLastChance() && isAnyEligible();
    if (!isLastChance || !placeApart(nowNs, connection)) {
      lastChances.forget(connection);
      placeAnywhere(nowNs, connection);
    }
  }

  private void placeLastChances(long nowNs) {
    Connection next = lastChances.first();
    Connection before = null;
    while (next != null && next != before) {
      place(nowNs, next);
      before = next;
      next = lastChances.first();
    }
  }

  /** Where no other connection on its last chance is to be answered; false: it need not be so. */
  private boolean placeApart(long nowNs, Connection connection) {
    List<Lane> lanes = notAvoided(eligible, connection.ownership());
    Lane chosen =
        chooseAmong(
            lanes.stream().filter(lane -> lastChances.isFree(nowNs, lane)).toList(), connection);
    if (chosen == null) {
      return !lanes.isEmpty() && lastChances.await(nowNs, connection);
    }
    lastChances.begin(nowNs, connection, chosen);
    connection.change().attach(nowNs, chosen);
    return true;
  }

  private void placeAnywhere(long nowNs, Connection connection) {
    Lane chosen = choose(connection);
    if (chosen != null) {
      connection.change().attach(nowNs, chosen);
    } else if (isAnyEligible()) {
      connection.change().backOff(nowNs);
    } else if (options.noUpstreamWaitNs() == 0) {
      connection.end().byBridge(nowNs, CloseReason.NO_UPSTREAM, CloseReason.Origin.BRIDGE);
    } else {
      waiting.add(connection);
      connection.armDeadline(nowNs);
    }
  }

  private @Nullable Lane choose(Connection connection) {
    Ownership ownership = connection.ownership();
    if (!ownership.isAvoidingAny()) {
      return chooseAmong(eligible.isEmpty() ? full : eligible, connection);
    }
    Lane destination = ownership.destination();
    if (destination != null && eligible.contains(destination)) {
      return destination;
    }
    Lane other = chooseAmong(notAvoided(eligible, ownership), connection);
    if (other == null) {
      other = chooseAmong(notAvoided(full, ownership), connection);
    }
    Lane former = ownership.former();
    // An Open that nobody takes is tried at last where it came from (rule 9).
    return other == null && former != null && former.isOpen() ? former : other;
  }

  private @Nullable Lane chooseAmong(List<Lane> lanes, Connection connection) {
    return lanes.isEmpty()
        ? null
        : (Lane) balancer.choose(lanes, connection.clientHost(), connection.mark());
  }

  private static List<Lane> notAvoided(List<Lane> lanes, Ownership ownership) {
    return lanes.stream().filter(lane -> !ownership.isAvoiding(lane)).toList();
  }

  /** Upstreams that are being left lose what they have to others, where there are any (rule 9). */
  private void moveAway(long nowNs) {
    mover.refill(nowNs, options.moving());
    long drainTimeoutNs = options.moving().drainTimeoutNs();
    for (Place place : List.copyOf(places.values())) {
      Reopen.Cause cause = causeToLeave(place);
      if (cause == null) {
        place.isLeft = false;
      } else if (!place.isLeft) {
        place.isLeft = true;
        place.leftSinceNs = nowNs;
      }
      if (cause != null && isAnyEligible()) {
        boolean isOverdue = drainTimeoutNs > 0 && nowNs - place.leftSinceNs >= drainTimeoutNs;
        mover.leave(nowNs, place.lane, cause, isOverdue);
      }
    }
  }

  private Reopen.@Nullable Cause causeToLeave(Place place) {
    if (place.lane.isHeldBack()) {
      return Reopen.Cause.LEADER_CHANGED;
    }
    boolean isLeft = place.lane.isDraining() || place.isGone || place.view.isDraining();
    return isLeft ? Reopen.Cause.DRAINING : null;
  }

  private Lane newLane(long nowNs, UpstreamView view, boolean hasAcknowledged) {
    Lane lane =
        new Lane(
            nowNs,
            this,
            shard,
            view,
            counters.upstream(options.name(), view.address()),
            hasAcknowledged);
    lane.holdBack(nowNs, options.moving().isFollowingLeader() && !view.isServing());
    return lane;
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
    List<Lane> before = new ArrayList<>(eligible);
    before.addAll(full);
    eligible.clear();
    full.clear();
    for (Place place : places.values()) {
      if (!place.isGone && place.view.isServing() && place.lane.isTakingConnections()) {
        (place.lane.isWritable() ? eligible : full).add(place.lane);
        if (!before.contains(place.lane)) {
          mover.rebalanceSoon(nowNs);
        }
      }
    }
    if (isAnyEligible() && !waiting.isEmpty()) {
      placing.addAll(waiting);
      waiting.clear();
      shard.requestTurnEnd();
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
