package dev.waymark.engine.pool;

import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.base.ShardCounters;
import dev.waymark.engine.base.Suspicion;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.Evidence;
import dev.waymark.engine.connection.Evidence.Loss;
import dev.waymark.engine.connection.Owner;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LanePool;
import dev.waymark.engine.lane.LaneStatus;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Reopen;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * A pool as one shard sees it: a lane to every upstream, and the connections that go to them. Which
 * of them takes a connection is in {@link Placement}, which planned moves begin in {@link Mover}.
 * Confined to its shard's thread, but for the counters and the balancer.
 */
public final class ShardPool implements LanePool {
  private final PoolHost host;
  private final Balancer balancer;
  private final Quarantine quarantine;
  private final Hello hello;
  private final RandomGenerator random;
  private final ShardCounters counters;
  private final Mover mover;
  private final Placement placement;
  private final Map<String, UpstreamStanding> standings = new LinkedHashMap<>();

  private PoolOptions options;
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
    Trials trials =
        new Trials(hello.shard(), quarantine, this::site, lane -> standing(lane).isSettled());
    this.placement =
        new Placement(nowNs, this::options, host, balancer, trials, lane -> site(lane).isSetApart());
  }

  // --- inputs ---

  /** Discovery or health changed. */
  public void onSnapshot(long nowNs, PoolSnapshot snapshot) {
    if (snapshot.version() <= version) {
      return;
    }
    version = snapshot.version();
    standings.values().forEach(UpstreamStanding::gone);
    for (UpstreamView view : snapshot.upstreams()) {
      UpstreamStanding known = standings.get(view.address());
      if (known == null) {
        Lane lane = newLane(nowNs, view, false);
        TrialSite site = quarantine.join(view.address());
        standings.put(view.address(), new UpstreamStanding(host.limits(), site, view, lane));
      } else if (known.onView(nowNs, view)) {
        mover.rebalanceSoon(nowNs);
      }
    }
    settleViews(nowNs);
  }

  /** Who leads, who may be given connections and who is left follows from views and options. */
  private void settleViews(long nowNs) {
    for (UpstreamStanding standing : List.copyOf(standings.values())) {
      standing.lane().holdBack(nowNs, isHeldBack(standing.view()));
    }
    forgetUnused();
    refresh(nowNs);
    moveAway(nowNs);
  }

  /** A new connection: it gets an owner, now or later, or ends. */
  public void assign(long nowNs, Connection connection) {
    placement.place(nowNs, connection);
  }

  /** A connection that has left its owner: it gets another at the end of a turn. */
  public void assignAgain(Connection connection) {
    placement.placeLater(connection);
  }

  /**
   * A turn ends: so many get another owner.
   *
   * @return whether there are more
   */
  public boolean placeSome(long nowNs) {
    placement.placeSome(nowNs);
    if (placement.settleTrials(nowNs)) {
      // Lanes are set apart for suspects: their other connections are to leave them.
      moveAway(nowNs);
    }
    placement.beginTrials(nowNs);
    return placement.isAnyToPlace();
  }

  public void stopWaiting(Connection connection) {
    placement.forget(connection);
  }

  @Override
  public void onLaneOpen(long nowNs, Lane lane) {
    standing(lane).onLaneOpen();
    host.events().onLaneOpen(options.name(), lane.upstream().address());
    refresh(nowNs);
  }

  /** The lane has shown whether it acknowledges: it may take connections from now on. */
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
    placement.notEligible(nowNs, lane);
    moveAway(nowNs);
  }

  /** No connection is given to it any more, and it is about to take those along that it has. */
  @Override
  public void onLaneBreaking(long nowNs, Lane lane, boolean wasOpen) {
    if (wasOpen) {
      breaks++;
      if (isDyingUnused(lane)) {
        quarantine.doubt();
      }
      site(lane).broken();
    }
    placement.onLaneBreaking(nowNs, lane);
  }

  @Override
  public void onLaneBroken(long nowNs, Lane lane, String cause, boolean wasOpen, int connections) {
    placement.onLaneBroken(lane);
    UpstreamStanding standing = standings.get(lane.upstream().address());
    if (standing != null && standing.lane() == lane) {
      standing.onLaneBroken(nowNs, random);
    }
    forgetUnused();
    if (wasOpen) {
      host.events().onLaneBroken(options.name(), lane.upstream().address(), cause, connections);
      suspect(lane, Suspicion.LANE_BROKEN);
    } else if (lane.upstream().isServing()) {
      host.events().onLaneRefused(options.name(), lane.upstream().address(), cause);
      suspect(lane, Suspicion.LANE_REFUSED);
    }
  }

  /** Tells the control plane, which may eject the upstream. */
  @Override
  public void suspect(Lane lane, Suspicion why) {
    host.events().onUpstreamSuspect(options.name(), lane.upstream().address(), why);
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

  /** The owner made progress with bytes of the connection that had been under suspicion. */
  public void onCleared(Connection connection, Owner owner, boolean hadLostAlone) {
    if (hadLostAlone) {
      // The owner that it had lost alone died of something else.
      quarantine.doubt();
    }
    placement.onCleared(connection, owner);
  }

  public void onTick(long nowNs) {
    long longestRetryNs = placement.longestRetryNs();
    for (UpstreamStanding standing : List.copyOf(standings.values())) {
      standing.lane().onTick(nowNs);
      if (standing.isRetryDue(nowNs, longestRetryNs)) {
        standing.lane(newLane(nowNs, standing.view(), standing.hasAcknowledged()));
      }
    }
    placement.onTick(nowNs);
    moveAway(nowNs);
    if (options.moving().isRebalancing()) {
      // A Release may fill a lane, which is eligible no more then.
      mover.rebalance(nowNs, placement.eligible());
    }
  }

  /** Other options of the same name. */
  public void onOptions(long nowNs, PoolOptions next) {
    options = next;
    settleViews(nowNs);
  }

  /** It is no longer configured, and nobody needs it: every lane is finished and forgotten. */
  public void remove() {
    standings.values().forEach(UpstreamStanding::gone);
    forgetUnused();
  }

  /** The bridge ends: every lane is finished. */
  public void finish(long nowNs) {
    standings
        .values()
        .forEach(standing -> {
          standing.lane().finish();
          quarantine.leave(standing.view().address());
        });
    standings.clear();
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

  /** Until when a connection waits for an upstream, if nothing else happens. */
  public long waitEndNs(long nowNs) {
    return placement.waitEndNs(nowNs);
  }

  public List<LaneStatus> status() {
    return standings.values().stream().map(standing -> standing.lane().status()).toList();
  }

  /** In how many places the connection waits for an owner. */
  public int placesOf(Connection connection) {
    return placement.placesOf(connection);
  }

  public void checkInvariants() {
    placement.checkInvariants();
  }

  // --- transitions ---

  /** Upstreams that are being left lose what they have to others, where there are any (rule 9). */
  private void moveAway(long nowNs) {
    mover.refill(nowNs, options.moving());
    long drainTimeoutNs = options.moving().drainTimeoutNs();
    for (UpstreamStanding standing : List.copyOf(standings.values())) {
      standing.noteLeaving(nowNs);
      Reopen.Cause left = standing.causeToLeave();
      boolean isEmptied = left == null && placement.isToBeEmptied(standing.lane());
      Reopen.Cause cause = isEmptied ? Reopen.Cause.REBALANCE : left;
      if (cause != null && placement.isAnyEligible()) {
        boolean isOverdue =
            left != null && drainTimeoutNs > 0 && standing.isLeftFor(nowNs, drainTimeoutNs);
        mover.leave(nowNs, standing.lane(), cause, isOverdue);
      }
    }
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

  /** It did not say that it would go, and no client can have made it. */
  private boolean isDyingUnused(Lane lane) {
    UpstreamStanding standing = standing(lane);
    return standing.causeToLeave() == null && standing.isSettled() && standing.site().isUnused();
  }

  private TrialSite site(Lane lane) {
    return standing(lane).site();
  }

  private UpstreamStanding standing(Lane lane) {
    return Objects.requireNonNull(standings.get(lane.upstream().address()));
  }

  /** Client bytes go to the leader only, where there is one. */
  private boolean isHeldBack(UpstreamView view) {
    return options.moving().isFollowingLeader() && !view.isServing();
  }

  private void refresh(long nowNs) {
    List<Lane> taking =
        standings.values().stream()
            .filter(UpstreamStanding::isTakingConnections)
            .map(UpstreamStanding::lane)
            .toList();
    if (placement.onLanes(nowNs, taking)) {
      mover.rebalanceSoon(nowNs);
    }
  }

  private void forgetUnused() {
    for (Iterator<UpstreamStanding> each = standings.values().iterator(); each.hasNext(); ) {
      UpstreamStanding standing = each.next();
      if (standing.isUnused()) {
        each.remove();
        placement.forget(standing.lane());
        standing.lane().finish();
        quarantine.leave(standing.view().address());
        counters.forgetUpstream(options.name(), standing.view().address());
      }
    }
  }
}
