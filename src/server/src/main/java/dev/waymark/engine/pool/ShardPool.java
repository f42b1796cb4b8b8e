package dev.waymark.engine.pool;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.base.ShardCounters;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.Evidence;
import dev.waymark.engine.connection.Evidence.Loss;
import dev.waymark.engine.connection.Owner;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LanePool;
import dev.waymark.engine.lane.LaneStatus;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.ResumeState;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.random.RandomGenerator;

/**
 * A pool in one shard: a lane to every upstream, and the connections that go to them. {@link
 * Placement} decides which lane gets a connection, {@link Mover} which planned moves begin, and
 * {@link Probation} where suspects are tried; this class connects them and reports to the control
 * plane. Confined to its shard's thread; the balancer and the quarantine are shared by all shards.
 */
public final class ShardPool implements LanePool {
  private final PoolHost host;
  private final Balancer balancer;
  private final PoisonQuarantine quarantine;
  private final Hello hello;
  private final RandomGenerator random;
  private final ShardCounters counters;
  private final Mover mover;
  private final Placement placement;
  private final Map<String, UpstreamSlot> slots = new LinkedHashMap<>();

  private PoolOptions options;

  /** The lowest priority number among the upstreams that can take connections. */
  private int priority = Integer.MAX_VALUE;

  private long version;
  private long breaks;

  public ShardPool(
      long nowNs,
      PoolSetup setup,
      PoolHost host,
      Hello hello,
      RandomGenerator random,
      ShardCounters counters) {
    this.options = setup.options();
    this.host = host;
    this.balancer = setup.balancer();
    this.quarantine = setup.quarantine();
    this.hello = hello;
    this.random = random;
    this.counters = counters;
    this.mover = new Mover(nowNs, host, balancer);
    Probation probation =
        new Probation(hello.shard(), quarantine, this::site, lane -> slot(lane).isSettled());
    this.placement =
        new Placement(
            nowNs, this::options, host, balancer, probation, lane -> site(lane).isSetApart());
  }

  // --- inputs ---

  /** Discovery or health changed. */
  public void onSnapshot(long nowNs, PoolSnapshot snapshot) {
    if (snapshot.version() <= version) {
      return;
    }
    version = snapshot.version();
    slots.values().forEach(UpstreamSlot::gone);
    for (UpstreamView view : snapshot.upstreams()) {
      UpstreamSlot known = slots.get(view.address());
      if (known == null) {
        Lane lane = newLane(nowNs, view, false);
        ProbationSite site = quarantine.join(view.address());
        slots.put(view.address(), new UpstreamSlot(host.limits(), site, view, lane));
      } else if (known.onView(nowNs, view)) {
        mover.rebalanceSoon(nowNs);
      }
    }
    settleViews(nowNs);
  }

  /** Applies views and options: who leads, who gets connections, and whom connections leave. */
  private void settleViews(long nowNs) {
    for (UpstreamSlot slot : List.copyOf(slots.values())) {
      slot.forEachLane(lane -> lane.holdBack(nowNs, isHeldBack(slot.view())));
    }
    forgetUnused();
    refresh(nowNs);
    moveAway(nowNs);
  }

  /** Places a new connection, now or later, or ends it. */
  public void assign(long nowNs, Connection connection) {
    placement.place(nowNs, connection);
  }

  /** Places a connection that has left its owner, at the end of a turn. */
  public void assignAgain(Connection connection) {
    placement.placeLater(connection);
  }

  /**
   * Called at the end of a turn: places some of the queued connections.
   *
   * @return whether more are queued
   */
  public boolean placeSome(long nowNs) {
    placement.placeSome(nowNs);
    if (placement.settleProbation(nowNs)) {
      // Lanes were set apart for suspects: their other connections leave.
      moveAway(nowNs);
    }
    placement.beginProbation(nowNs);
    return placement.hasMoreToPlace();
  }

  public void stopWaiting(Connection connection) {
    placement.forget(connection);
  }

  @Override
  public void onLaneOpen(long nowNs, Lane lane) {
    slot(lane).onLaneOpen();
    refresh(nowNs);
  }

  @Override
  public void onLaneAccepted(Lane lane) {
    host.events().onLaneOpen(options.name(), lane.upstream().address());
  }

  /** It is decided whether a lane acknowledges: it may now accept connections. */
  @Override
  public void onLaneDecided(long nowNs) {
    refresh(nowNs);
  }

  @Override
  public void onLaneWritable(Lane lane) {
    placement.onLaneWritable(lane);
  }

  @Override
  public void onLaneFull(Lane lane) {
    placement.onLaneFull(lane);
  }

  @Override
  public void onLaneDraining(long nowNs, Lane lane) {
    host.events().onUpstreamDraining(options.name(), lane.upstream().address());
    refresh(nowNs);
    moveAway(nowNs);
  }

  /** The lane has broken, and its connections have not been told yet. */
  @Override
  public void onLaneBreaking(long nowNs, Lane lane, boolean wasOpen) {
    if (wasOpen) {
      breaks++;
      if (hasDiedUnused(lane)) {
        quarantine.doubt();
      }
      site(lane).broken();
    }
    placement.onLaneBreaking(nowNs, lane);
  }

  @Override
  public void onLaneBroken(long nowNs, Lane lane, String cause, boolean wasOpen, int connections) {
    placement.onLaneBroken(lane);
    UpstreamSlot slot = slots.get(lane.upstream().address());
    if (slot != null) {
      slot.onLaneBroken(nowNs, lane, random);
    }
    forgetUnused();
    // Retiring lanes accept connections again if no other does.
    refresh(nowNs);
    if (lane.hasEndedCleanly()) {
      host.events().onLaneEnded(options.name(), lane.upstream().address());
    } else if (lane.isAccepted()) {
      host.events().onLaneBroken(options.name(), lane.upstream().address(), cause, connections);
      if (!lane.isGoingAway()) {
        reportOutlier(lane, OutlierSignal.LANE_BROKEN);
      }
    } else if (lane.upstream().isServing()) {
      host.events().onLaneRefused(options.name(), lane.upstream().address(), cause);
      reportOutlier(lane, OutlierSignal.LANE_REFUSED);
    }
  }

  /** Reports to the control plane, which may eject the upstream. */
  @Override
  public void reportOutlier(Lane lane, OutlierSignal why) {
    host.events().onOutlierSignal(options.name(), lane.upstream().address(), why);
  }

  @Override
  public void onAttached(Owner.Attached connection, Lane lane) {
    site(lane).attached();
    balancer.onAttached(lane.upstream());
    host.events()
        .onConnectionAttached(
            connection.mark(), options.name(), lane.upstream().address(), connection.epoch());
  }

  @Override
  public void onDetached(Owner.Attached connection, Lane lane, boolean hasLeftover) {
    if (hasLeftover && lane.isOpen()) {
      site(lane).leftover();
    }
    site(lane).detached();
    balancer.onDetached(lane.upstream());
    placement.onTried(connection, lane);
    if (lane.connectionCount() == 0) {
      forgetUnused();
    }
  }

  /** The owner made progress with bytes of a connection that was under suspicion. */
  public void onCleared(Connection connection, Owner owner, boolean hadLostAlone) {
    if (hadLostAlone) {
      // So the owner that it lost in isolation died of something else.
      quarantine.doubt();
    }
    placement.onCleared(connection, owner);
  }

  public void onTick(long nowNs) {
    long longestRetryNs = placement.longestRetryNs();
    for (UpstreamSlot slot : List.copyOf(slots.values())) {
      slot.forEachLane(lane -> lane.onTick(nowNs));
      if (slot.isRetryDue(nowNs, longestRetryNs)) {
        slot.lane(newLane(nowNs, slot.view(), slot.hasAcknowledged()));
      } else if (slot.isReplacementDue(nowNs)) {
        replace(nowNs, slot);
      }
      finishRetired(slot);
    }
    placement.onTick(nowNs);
    moveAway(nowNs);
    if (options.moving().isRebalancing()) {
      // Also lanes that are full at this moment: those with too many connections often are.
      mover.rebalance(nowNs, placement.openLanes());
    }
  }

  /** A reload has changed the options. */
  public void onOptions(long nowNs, PoolOptions next) {
    options = next;
    settleViews(nowNs);
  }

  /** The pool is no longer configured or used: finishes and forgets every lane. */
  public void remove() {
    slots.values().forEach(UpstreamSlot::gone);
    forgetUnused();
  }

  /** The bridge stops: finishes every lane. */
  public void finish(long nowNs) {
    slots
        .values()
        .forEach(slot -> {
          slot.forEachLane(Lane::finish);
          quarantine.leave(slot.view().address());
        });
    slots.clear();
    placement.onLanes(nowNs, List.of());
  }

  // --- outputs ---

  @Override
  public PoolOptions options() {
    return options;
  }

  @Override
  public Hello hello() {
    return hello;
  }

  /** The circumstances in which this connection has just lost this owner. */
  public Loss lossOf(Connection connection, Owner owner, boolean isFenced) {
    Evidence.Company company =
        isFenced ? Evidence.Company.FENCED : placement.company(connection, owner);
    return new Loss(company, breaks, quarantine.doubts());
  }

  /** Until when a connection waits for an upstream unless something happens. */
  public long waitEndNs(long nowNs) {
    return placement.waitEndNs(nowNs);
  }

  public List<LaneStatus> status() {
    List<LaneStatus> lanes = new ArrayList<>();
    slots.values().forEach(slot -> slot.forEachLane(lane -> lanes.add(lane.status())));
    return lanes;
  }

  /** In how many places the connection waits for an owner; 0 or 1. */
  public int placesOf(Connection connection) {
    return placement.placesOf(connection);
  }

  public void checkInvariants() {
    placement.checkInvariants();
  }

  // --- transitions ---

  /** Moves connections off upstreams that they have to leave, if there are others (rule 9). */
  private void moveAway(long nowNs) {
    mover.refill(nowNs, options.moving());
    long drainTimeoutNs = options.moving().drainTimeoutNs();
    for (UpstreamSlot slot : List.copyOf(slots.values())) {
      slot.noteLeaving(nowNs);
      ResumeState.Cause leaving = slot.causeToLeave();
      boolean isStandby = slot.view().priority() > priority;
      boolean isEmptied = leaving == null && (isStandby || isBeingVacated(slot));
      ResumeState.Cause cause = isEmptied ? ResumeState.Cause.REBALANCE : leaving;
      if (cause != null) {
        boolean isOverdue =
            leaving != null && drainTimeoutNs > 0 && slot.hasBeenLeavingFor(nowNs, drainTimeoutNs);
        slot.forEachLane(lane -> {
          // Not off a retiring lane that is the only one to accept connections.
          if (placement.hasAcceptingLaneBeside(lane)) {
            mover.leave(nowNs, lane, cause, null, isOverdue);
          }
        });
      } else {
        leaveRetiring(nowNs, slot);
      }
    }
  }

  private boolean isBeingVacated(UpstreamSlot slot) {
    Lane accepting = slot.acceptingLane();
    return accepting != null && placement.isBeingVacated(accepting);
  }

  /** Moves connections off the retiring lane: to its successor, which they must not unbalance. */
  private void leaveRetiring(long nowNs, UpstreamSlot slot) {
    Lane leaving = slot.laneToLeave();
    if (leaving != null && placement.hasAcceptingLaneBeside(leaving)) {
      Lane to = slot.lane().isAcceptingConnections() ? slot.lane() : null;
      mover.leave(nowNs, leaving, ResumeState.Cause.DRAINING, to, false);
    }
  }

  /** Opens a lane to take over from one whose end was announced. */
  private void replace(long nowNs, UpstreamSlot slot) {
    String upstream = slot.view().address();
    counters.upstream(options.name(), upstream).add(Counter.LANES_REPLACED, 1);
    host.events().onLaneReplaced(options.name(), upstream);
    slot.retireLane();
    slot.lane(newLane(nowNs, slot.view(), slot.hasAcknowledged()));
    refresh(nowNs);
  }

  private Lane newLane(long nowNs, UpstreamView view, boolean hasAcknowledged) {
    Lane lane =
        new Lane(
            nowNs,
            this,
            host,
            view,
            counters.upstream(options.name(), view.address()),
            hasAcknowledged);
    lane.holdBack(nowNs, isHeldBack(view));
    return lane;
  }

  /** Whether the upstream did not announce its end, and no request can have caused it. */
  private boolean hasDiedUnused(Lane lane) {
    UpstreamSlot slot = slot(lane);
    return slot.causeToLeave() == null
        && !lane.isDraining()
        && !lane.isGoingAway()
        && slot.isSettled()
        && slot.site().isUnused();
  }

  private ProbationSite site(Lane lane) {
    return slot(lane).site();
  }

  private UpstreamSlot slot(Lane lane) {
    return Objects.requireNonNull(slots.get(lane.upstream().address()));
  }

  /** In a pool with a leader, client bytes go to the leader only. */
  private boolean isHeldBack(UpstreamView view) {
    return options.moving().isFollowingLeader() && !view.isServing();
  }

  private void refresh(long nowNs) {
    List<Lane> accepting =
        slots.values().stream().map(UpstreamSlot::acceptingLane).filter(Objects::nonNull).toList();
    // A lane that connections have to leave gets others only if there is nothing else: rebalancing
    // would return those that have left.
    List<Lane> lasting =
        accepting.stream().filter(lane -> !slot(lane).shouldLeaveAcceptingLane()).toList();
    List<Lane> usable = lasting.isEmpty() ? accepting : lasting;
    priority = usable.stream().mapToInt(ShardPool::priority).min().orElse(Integer.MAX_VALUE);
    List<Lane> first = usable.stream().filter(lane -> priority(lane) == priority).toList();
    if (placement.onLanes(nowNs, first)) {
      mover.rebalanceSoon(nowNs);
    }
  }

  private static int priority(Lane lane) {
    return lane.upstream().priority();
  }

  private void finishRetired(UpstreamSlot slot) {
    // Until its successor accepts connections it may still get some.
    boolean isSucceeded = slot.lane().isAcceptingConnections() || slot.isUnused();
    Lane retired = isSucceeded ? slot.takeRetired() : null;
    if (retired != null) {
      placement.forget(retired);
      retired.finish();
    }
  }

  private void forgetUnused() {
    for (Iterator<UpstreamSlot> each = slots.values().iterator(); each.hasNext(); ) {
      UpstreamSlot slot = each.next();
      finishRetired(slot);
      if (slot.isUnused()) {
        each.remove();
        placement.forget(slot.lane());
        slot.lane().finish();
        quarantine.leave(slot.view().address());
        counters.forgetUpstream(options.name(), slot.view().address());
      }
    }
  }
}
