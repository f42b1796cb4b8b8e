package dev.waymark.engine.pool;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.Evidence;
import dev.waymark.engine.connection.Owner;
import dev.waymark.engine.connection.Ownership;
import dev.waymark.engine.lane.Lane;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.ResumeState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Gives the connections of a pool in one shard to lanes (rules 3, 8 and 9).
 *
 * <p><b>The problem.</b> When an upstream dies, thousands of connections need another owner at the
 * same moment, while connections whose upstream lives still have to be served. Some must avoid the
 * upstreams that have refused or lost them, some are suspects, and perhaps no lane accepts any now.
 *
 * <p><b>The idea.</b> A new connection is placed at once. One that has lost its owner joins a
 * queue, from which each turn places at most {@value #PLACED_PER_TURN}, so that others get their
 * share of the thread. The lanes that accept connections are sorted once, when they change:
 * eligible ones, which are writable and not set apart for suspects, and full ones. The {@link
 * Balancer} chooses among the eligible ones, or among the full ones if there are no others.
 *
 * <p><b>Why it is correct.</b> A connection without an owner is in exactly one place: waiting for
 * any upstream, queued, on probation, or backing off. The invariants check that. The cost is a few
 * references for each lane, and one entry for each connection that waits.
 *
 * <p>Confined to its shard's thread.
 */
final class Placement {
  /** How many connections are placed in one turn: others must not wait for all of them. */
  static final int PLACED_PER_TURN = 256;

  /** While a lane accepts connections, those that still wait are checked again after this. */
  private static final long AGAIN_NS = 1_000_000_000L;

  /** How often a broken lane is retried within the time that a connection waits. */
  private static final int RETRIES_OF_A_WAIT = 5;

  private final Supplier<PoolOptions> options;
  private final PoolHost host;
  private final Balancer balancer;

  /** Connections for which no lane accepts connections now. */
  private final LinkedHashSet<Connection> waiting = new LinkedHashSet<>();

  /** Connections to be placed at the end of turns. */
  private final LinkedHashSet<Connection> placing = new LinkedHashSet<>();

  private final Probation probation;
  private final Predicate<Lane> isSetApart;

  /** Suspects that were answered on lanes that are set apart, and have to leave them. */
  private final List<Connection> cleared = new ArrayList<>();

  /** The lanes that accept connections, in the order of their upstreams. */
  private final LinkedHashSet<Lane> accepting = new LinkedHashSet<>();

  /** The accepting lanes that some shard has set apart for suspects. */
  private Set<Lane> apart = new HashSet<>();

  /**
   * The accepting lanes that are not set apart (or all, if all are) and are writable; in the same
   * order.
   */
  private final List<Lane> eligible = new ArrayList<>();

  /** The same lanes that are not writable; used if none is eligible. */
  private final List<Lane> full = new ArrayList<>();

  private long lastAcceptingNs;

  /**
   * @param options the options of the pool, which may change
   * @param isSetApart whether some shard has set the upstream of a lane apart for suspects
   */
  Placement(
      long nowNs,
      Supplier<PoolOptions> options,
      PoolHost host,
      Balancer balancer,
      Probation probation,
      Predicate<Lane> isSetApart) {
    this.options = options;
    this.host = host;
    this.balancer = balancer;
    this.probation = probation;
    this.isSetApart = isSetApart;
    this.lastAcceptingNs = nowNs;
  }

  // --- inputs ---

  /**
   * Sets the lanes that accept connections.
   *
   * @return whether any of them did not before
   */
  boolean onLanes(long nowNs, List<Lane> lanes) {
    boolean isAnyNew = !accepting.containsAll(lanes);
    noteAccepting(nowNs);
    accepting.clear();
    accepting.addAll(lanes);
    noteAccepting(nowNs);
    apart = setApart();
    sortOut();
    if (hasAcceptingLane() && !waiting.isEmpty()) {
      placing.addAll(waiting);
      waiting.clear();
      host.requestTurnEnd();
    }
    tryAtTurnEnd();
    return isAnyNew;
  }

  /** The lane's transport is full. */
  void onLaneFull(Lane lane) {
    if (eligible.contains(lane)) {
      sortOut();
    }
  }

  /** The lane is writable again. No connection waits for that. */
  void onLaneWritable(Lane lane) {
    if (full.contains(lane)) {
      sortOut();
    }
  }

  /** The lane no longer accepts connections. */
  private void notEligible(long nowNs, Lane lane) {
    noteAccepting(nowNs);
    forget(lane);
  }

  /** The lane no longer accepts connections, and has none. */
  void forget(Lane lane) {
    if (accepting.remove(lane)) {
      apart.remove(lane);
      sortOut();
    }
  }

  /** The lane is breaking; its connections have not been told yet. */
  void onLaneBreaking(long nowNs, Lane lane) {
    notEligible(nowNs, lane);
    probation.onBreaking(lane);
  }

  /** The lane has broken, and its connections have been told. */
  void onLaneBroken(Lane lane) {
    probation.onBroken(lane);
    tryAtTurnEnd();
  }

  /** A suspect was answered on this lane; it has to leave if the lane is set apart. */
  void onCleared(Connection connection, Owner owner) {
    if (isBeingVacated(owner)) {
      cleared.add(connection);
      host.requestTurnEnd();
    }
    onTried(connection, owner);
  }

  /** A connection was answered on this lane, or has left it. */
  void onTried(Owner.Attached connection, Owner owner) {
    if (probation.leave(connection, owner)) {
      host.requestTurnEnd();
    }
  }

  /** Places the connection on a lane, now or later, or ends it. */
  void place(long nowNs, Connection connection) {
    boolean needsProbation = connection.ownership().isSuspect() && hasCandidate(connection);
    if (!needsProbation) {
      placeAnywhere(nowNs, connection);
    } else if (!probation.await(nowNs, connection)) {
      placeUntried(nowNs, connection);
    }
  }

  /** Places the connection at the end of a turn. */
  void placeLater(Connection connection) {
    placing.add(connection);
    host.requestTurnEnd();
  }

  /** Called at the end of a turn: places some of the queued connections. */
  void placeSome(long nowNs) {
    for (int left = PLACED_PER_TURN; left > 0 && !placing.isEmpty(); left--) {
      place(nowNs, placing.removeFirst());
    }
    while (!cleared.isEmpty()) {
      Connection next = cleared.removeLast();
      Owner owner = next.owner();
      if (owner != null && isBeingVacated(owner)) {
        next.release(nowNs, ResumeState.Cause.REBALANCE, null);
      }
    }
  }

  /**
   * Ends the rounds of probation that are over, and sets lanes apart for the next ones.
   *
   * @return whether a lane was set apart: its other connections leave before {@link
   *     #beginProbation}
   */
  boolean settleProbation(long nowNs) {
    if (probation.isIdle()) {
      return false;
    }
    List<Lane> toEmpty = probation.settle(nowNs, accepting);
    noteApart();
    return !toEmpty.isEmpty();
  }

  /** Begins the rounds whose lanes are ready. */
  void beginProbation(long nowNs) {
    probation.begin(
        nowNs,
        accepting.size() == 1,
        (suspect, lane) -> {
          suspect.counters().add(Counter.SUSPECTS_TRIED, 1);
          suspect.attach(nowNs, lane);
        });
  }

  /** The connection no longer needs an owner. */
  void forget(Connection connection) {
    waiting.remove(connection);
    placing.remove(connection);
    probation.forget(connection);
  }

  void onTick(long nowNs) {
    noteAccepting(nowNs);
    noteApart();
    probation.onTick(nowNs);
    for (Connection connection : probation.overdue(nowNs, accepting)) {
      placeUntried(nowNs, connection);
    }
    tryAtTurnEnd();
  }

  // --- outputs ---

  /** Whether more connections have to be placed at the end of the next turn. */
  boolean hasMoreToPlace() {
    return !placing.isEmpty();
  }

  /** Whether any lane accepts connections. */
  boolean hasAcceptingLane() {
    return !accepting.isEmpty();
  }

  /** Whether any other lane accepts connections. */
  boolean hasAcceptingLaneBeside(Lane lane) {
    return accepting.size() > (accepting.contains(lane) ? 1 : 0);
  }

  /** In how many places the connection waits; 0 or 1. */
  int placesOf(Connection connection) {
    return (waiting.contains(connection) ? 1 : 0)
        + (placing.contains(connection) ? 1 : 0)
        + (probation.isWaiting(connection) ? 1 : 0);
  }

  /** Whether the lane is set apart for suspects and its other connections can go elsewhere. */
  boolean isBeingVacated(Owner lane) {
    return apart.contains(lane) && apart.size() < accepting.size();
  }

  /** Returns how isolated this connection was when it lost this lane. */
  Evidence.Company company(Connection connection, Owner owner) {
    return probation.company(connection, owner);
  }

  /** Until when a connection waits; always in the future while a lane accepts connections. */
  long waitEndNs(long nowNs) {
    long waitNs = options.get().noUpstreamWaitNs();
    return hasAcceptingLane() ? nowNs + Math.max(waitNs, AGAIN_NS) : lastAcceptingNs + waitNs;
  }

  /**
   * The longest time after which a lane is retried. While connections wait for the first lane that
   * comes back, a long back-off would use up their wait.
   */
  long longestRetryNs() {
    boolean isWaitedFor = accepting.isEmpty() && (!waiting.isEmpty() || probation.hasWaiting());
    return isWaitedFor
        ? Math.max(
            host.limits().laneRetry().minNs(), options.get().noUpstreamWaitNs() / RETRIES_OF_A_WAIT)
        : Long.MAX_VALUE;
  }

  void checkInvariants() {
    Check.that(
        waiting.isEmpty() || !hasAcceptingLane(),
        "no connection waits while a lane accepts connections");
    Check.that(
        eligible.size() + full.size() == openLanes().size(),
        "an accepting lane is eligible, full or set apart");
    // This includes connections that are closed.
    waiting.forEach(Placement::checkWaiting);
    placing.forEach(Placement::checkWaiting);
    probation.forEachWaiting(Placement::checkWaiting);
  }

  private static void checkWaiting(Connection connection) {
    Check.that(connection.isWaiting(), "only connections that need an owner wait for one");
  }

  /** The lanes that are not set apart, writable or not; all, if all are. */
  List<Lane> openLanes() {
    return accepting.stream().filter(lane -> !isBeingVacated(lane)).toList();
  }

  // --- transitions ---

  private void sortOut() {
    eligible.clear();
    full.clear();
    for (Lane lane : openLanes()) {
      (lane.isWritable() ? eligible : full).add(lane);
    }
  }

  private void noteAccepting(long nowNs) {
    lastAcceptingNs = accepting.isEmpty() ? lastAcceptingNs : nowNs;
  }

  /** Another shard may have set lanes apart, or released them. */
  private void noteApart() {
    Set<Lane> now = setApart();
    if (!now.equals(apart)) {
      apart = now;
      sortOut();
    }
  }

  private Set<Lane> setApart() {
    Set<Lane> now = new HashSet<>();
    for (Lane lane : accepting) {
      if (isSetApart.test(lane)) {
        now.add(lane);
      }
    }
    return now;
  }

  private void tryAtTurnEnd() {
    if (!probation.isIdle()) {
      host.requestTurnEnd();
    }
  }

  private void placeUntried(long nowNs, Connection suspect) {
    suspect.counters().add(Counter.SUSPECTS_UNTRIED, 1);
    probation.forget(suspect);
    placeAnywhere(nowNs, suspect);
  }

  private boolean hasCandidate(Connection connection) {
    return accepting.stream().anyMatch(lane -> !connection.ownership().isAvoiding(lane));
  }

  private void placeAnywhere(long nowNs, Connection connection) {
    Owner chosen = choose(connection);
    if (chosen != null) {
      connection.attach(nowNs, chosen);
    } else if (hasAcceptingLane()) {
      connection.backOff(nowNs);
    } else if (options.get().noUpstreamWaitNs() == 0) {
      connection.refuse(nowNs);
    } else {
      waiting.add(connection);
      connection.armDeadline(nowNs);
    }
  }

  private @Nullable Owner choose(Connection connection) {
    Ownership ownership = connection.ownership();
    if (!ownership.isAvoidingAny()) {
      return chooseAmong(eligible.isEmpty() ? full : eligible, connection);
    }
    Owner destination = ownership.destination();
    if (destination != null && eligible.contains(destination)) {
      return destination;
    }
    Owner other = chooseAmong(notAvoided(eligible, ownership), connection);
    if (other == null) {
      other = chooseAmong(notAvoided(full, ownership), connection);
    }
    Owner former = ownership.former();
    // As a last resort the connection goes back to where it came from (rule 9).
    return other == null && former != null && former.isOpen() ? former : other;
  }

  private @Nullable Owner chooseAmong(List<Lane> lanes, Connection connection) {
    return lanes.isEmpty()
        ? null
        : (Lane) balancer.choose(lanes, connection.clientHost(), connection.mark());
  }

  private static List<Lane> notAvoided(List<Lane> lanes, Ownership ownership) {
    return lanes.stream().filter(lane -> !ownership.isAvoiding(lane)).toList();
  }
}
