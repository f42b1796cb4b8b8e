package dev.waymark.core;

import dev.waymark.core.CloseReason.Origin;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gives the connections of a pool in one shard to lanes: to which, in which turn, and who waits
 * (rules 3, 8 and 9). Confined to its shard's thread.
 */
final class Placement {
  /**
   * Re-opens in one turn: those whose upstream lives are not to wait for those that lost theirs.
   */
  static final int PLACED_PER_TURN = 256;

  private final ShardPool pool;
  private final Shard shard;
  private final Balancer balancer;

  /** Nobody takes them now. */
  private final LinkedHashSet<Connection> waiting = new LinkedHashSet<>();

  /** To be given to others, a portion in each turn. */
  private final LinkedHashSet<Connection> placing = new LinkedHashSet<>();

  private final LastChances lastChances = new LastChances();

  /** The lanes that take connections, in the order of their upstreams. */
  private final LinkedHashSet<Lane> taking = new LinkedHashSet<>();

  /** Those of them whose transport takes more, in the same order. */
  private final List<Lane> eligible = new ArrayList<>();

  /** The others; taken where there is no eligible one. */
  private final List<Lane> full = new ArrayList<>();

  Placement(ShardPool pool, Shard shard, Balancer balancer) {
    this.pool = pool;
    this.shard = shard;
    this.balancer = balancer;
  }

  // --- inputs ---

  /**
   * These lanes take connections, and no others.
   *
   * @return whether there is one that did not
   */
  boolean onLanes(List<Lane> lanes) {
    boolean isAnyNew = !taking.containsAll(lanes);
    taking.clear();
    taking.addAll(lanes);
    sortOut();
    if (isAnyEligible() && !waiting.isEmpty()) {
      placing.addAll(waiting);
      waiting.clear();
      shard.requestTurnEnd();
    }
    return isAnyNew;
  }

  /** The lane's transport takes no more for now. */
  void onLaneFull(Lane lane) {
    if (eligible.contains(lane)) {
      sortOut();
    }
  }

  /** The lane's transport takes more after it took no more. Nobody waited because of it. */
  void onLaneWritable(Lane lane) {
    if (full.contains(lane)) {
      sortOut();
    }
  }

  /** No connection is given to it any more. */
  void notEligible(Lane lane) {
    taking.remove(lane);
    eligible.remove(lane);
    full.remove(lane);
  }

  /** The connection gets an owner, now or later, or ends. */
  void place(long nowNs, Connection connection) {
    boolean isLastChance = connection.ownership().isOnLastChance() && isAnyEligible();
    if (!isLastChance || !placeApart(nowNs, connection)) {
      lastChances.forget(connection);
      placeAnywhere(nowNs, connection);
    }
  }

  /** The connection gets an owner at the end of a turn. */
  void placeLater(Connection connection) {
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

  /** The connection needs no owner any more. */
  void forget(Connection connection) {
    waiting.remove(connection);
    placing.remove(connection);
    lastChances.forget(connection);
  }

  void onTick(long nowNs) {
    lastChances.forgetOver(nowNs);
    if (lastChances.first() != null) {
      shard.requestTurnEnd();
    }
  }

  // --- outputs ---

  /** Some lane takes connections. */
  boolean isAnyEligible() {
    return !taking.isEmpty();
  }

  /** The lanes that take connections and whose transports take more; as they are now. */
  List<Lane> eligible() {
    return List.copyOf(eligible);
  }

  /** In how many places the connection waits: one at most. */
  int placesOf(Connection connection) {
    return (waiting.contains(connection) ? 1 : 0)
        + (placing.contains(connection) ? 1 : 0)
        + (lastChances.isWaiting(connection) ? 1 : 0);
  }

  void checkInvariants() {
    Check.that(
        waiting.isEmpty() || !isAnyEligible(), "nobody waits where a lane takes connections");
    Check.that(
        eligible.size() + full.size() == taking.size(), "a lane that takes is eligible or full");
    // Those that are gone, too.
    waiting.forEach(Placement::checkWaiting);
    placing.forEach(Placement::checkWaiting);
    lastChances.forEachWaiting(Placement::checkWaiting);
  }

  private static void checkWaiting(Connection connection) {
    Check.that(connection.isWaiting(), "who needs no owner waits for none");
  }

  // --- transitions ---

  private void sortOut() {
    eligible.clear();
    full.clear();
    for (Lane lane : taking) {
      (lane.isWritable() ? eligible : full).add(lane);
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
    } else if (pool.options().noUpstreamWaitNs() == 0) {
      connection.end().endByBridge(nowNs, CloseReason.NO_UPSTREAM, Origin.BRIDGE);
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
}
