package dev.waymark.engine.pool;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.Evidence;
import dev.waymark.engine.connection.Owner;
import dev.waymark.engine.lane.Lane;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Tries the suspects of a pool in one shard where they endanger nobody else (rule 3). Any of them
 * may carry the request that kills its owners. So upstreams are set apart for them, one round at a
 * time on each, over all shards; its other connections are handed over to other upstreams first.
 * Confined to its shard's thread; what it has to know of other shards is in {@link ProbationSite}
 * and {@link PoisonQuarantine}.
 *
 * <p>Suspects are tried one by one. Where that would take too long, since requests are slow or
 * suspects are many, {@link GroupSize} has several tried together, those first and most that are
 * unlikely to blame. Only what a suspect loses alone speaks against it.
 */
final class Probation {
  /** More than these do not wait, but go on like any other. */
  static final int WAITING_MAX = 1_024;

  /** None waits longer. */
  static final long WAIT_NS_MAX = 30_000_000_000L;

  /** How long a lane is emptied of others before suspects are tried beside them. */
  static final long EMPTYING_NS = 1_000_000_000L;

  /** How long suspects wait for another lane before they share the only one. */
  static final long ALONE_NS = 5_000_000_000L;

  /** Where other shards have suspects too, each goes on for so long and then waits for a tick. */
  private static final long TURN_NS = 500_000_000L;

  private final int shard;
  private final PoisonQuarantine quarantine;
  private final Function<Lane, ProbationSite> sites;
  private final Predicate<Lane> isSettled;

  /** Since when. */
  private final LinkedHashMap<Connection, Long> waiting = new LinkedHashMap<>();

  private final LinkedHashMap<Lane, ProbationRound> probation = new LinkedHashMap<>();

  private final GroupSize groupSize = new GroupSize();
  private boolean isTurnOver;
  private long turnSinceNs;

  /**
   * @param shard the index of this one
   * @param sites of the pool's lanes
   * @param isSettled such a lane is one to the process that runs now, for all that is known
   */
  Probation(
      int shard,
      PoisonQuarantine quarantine,
      Function<Lane, ProbationSite> sites,
      Predicate<Lane> isSettled) {
    this.shard = shard;
    this.quarantine = quarantine;
    this.sites = sites;
    this.isSettled = isSettled;
  }

  // --- inputs ---

  /**
   * A suspect needs an owner.
   *
   * @return false: it is not to wait, or no longer
   */
  boolean await(long nowNs, Connection connection) {
    Long sinceNs = waiting.get(connection);
    if (sinceNs != null) {
      return nowNs - sinceNs < WAIT_NS_MAX;
    }
    if (waiting.size() >= WAITING_MAX) {
      return false;
    }
    if (waiting.isEmpty()) {
      quarantine.waiting(true);
    }
    groupSize.onSuspect(nowNs);
    waiting.put(connection, nowNs);
    return true;
  }

  /** It does not wait for a round any more. */
  void forget(Connection connection) {
    if (waiting.remove(connection) != null && waiting.isEmpty()) {
      quarantine.waiting(false);
    }
  }

  /**
   * It was answered on this lane, or has left it.
   *
   * @return whether its round is over by that: {@link #settle} goes on
   */
  boolean leave(Owner.Attached connection, Owner owner) {
    ProbationRound round = probation.get(owner);
    return round != null && round.remove(connection);
  }

  /** The lane is about to take its connections along. */
  void onBreaking(Lane lane) {
    ProbationRound round = probation.get(lane);
    if (round != null) {
      round.onBroken();
    }
  }

  /** The lane broke, and its connections have left it. */
  void onBroken(Lane lane) {
    ProbationRound round = probation.remove(lane);
    if (round != null) {
      round.site().release(shard);
      if (round.isRunning()) {
        groupSize.onKilled(round.size());
      }
    }
  }

  /** Claims are kept, and it may be this shard's turn again. */
  void onTick(long nowNs) {
    if (isTurnOver) {
      isTurnOver = false;
      turnSinceNs = nowNs;
    }
    // One that lapsed while this shard stood still may be another's now.
    probation.values().removeIf(round -> !round.site().claim(shard) && !round.isRunning());
  }

  /**
   * Ends the probation that are over, and sets lanes apart for those that are to come.
   *
   * @param taking the lanes that take connections
   * @return lanes that were set apart by this, to be emptied of others
   */
  List<Lane> settle(long nowNs, Collection<Lane> taking) {
    List<Lane> toEmpty = new ArrayList<>();
    for (ProbationRound round : List.copyOf(probation.values())) {
      boolean isTaking = taking.contains(round.lane());
      boolean isOver = round.isRunning() && isOver(nowNs, round);
      boolean isIdle = !round.isRunning() && (!isTaking || !isUseful(round.lane()));
      if (isOver && isTaking && goesOn(nowNs, round, taking)) {
        toEmpty.add(round.lane());
      } else if (isOver || isIdle) {
        // One that runs on a lane that takes no more is kept: that may be about to break.
        giveUp(round);
      }
    }
    int idle = (int) probation.values().stream().filter(round -> !round.isRunning()).count();
    while (!isTurnOver && idle < waiting.size()) {
      Lane chosen = choose(nowNs, taking);
      if (chosen == null || !sites.apply(chosen).claim(shard)) {
        break;
      }
      probation.put(chosen, new ProbationRound(nowNs, chosen, sites.apply(chosen)));
      toEmpty.add(chosen);
      idle++;
    }
    return toEmpty;
  }

  private static boolean isOver(long nowNs, ProbationRound round) {
    return round.isAnswered() || round.ageNs(nowNs) >= round.longestNs();
  }

  /** Whether the lane is to have another group: nobody is left there, or nobody else takes it. */
  private boolean goesOn(long nowNs, ProbationRound round, Collection<Lane> taking) {
    boolean isAnswered = round.isAnswered();
    long unlikely = waiting.keySet().stream().filter(Probation::isUnlikely).count();
    groupSize.onLived(round.ageNs(nowNs), unlikely, waiting.size() - unlikely);
    if (!isWanted(round.lane())) {
      return false;
    }
    if (quarantine.waitingShards() > 1 && nowNs - turnSinceNs >= TURN_NS) {
      isTurnOver = true;
      return false;
    }
    round.end(nowNs);
    return taking.size() == 1 || (isAnswered && isAnyOtherOpen(taking, round.lane()));
  }

  private static boolean isUnlikely(Connection suspect) {
    return suspect.ownership().isUnlikely();
  }

  /** Somebody waits who may be given to this lane. */
  private boolean isWanted(Lane lane) {
    return waiting(lane).findAny().isPresent();
  }

  private boolean isUseful(Lane lane) {
    return isWanted(lane) && isSettled.test(lane);
  }

  private void giveUp(ProbationRound round) {
    probation.remove(round.lane());
    if (isTurnOver) {
      round.site().pass(shard);
    } else {
      round.site().release(shard);
    }
  }

  /** The lane on which suspects endanger least; null: none is to be had now. */
  private @Nullable Lane choose(long nowNs, Collection<Lane> taking) {
    List<Lane> free =
        taking.stream()
            .filter(lane -> !probation.containsKey(lane) && lane.isWritable() && isWanted(lane))
            .filter(lane -> sites.apply(lane).isFree())
            .filter(isSettled)
            .toList();
    for (Lane lane : free) {
      if (sites.apply(lane).isEmpty()) {
        return lane;
      }
    }
    boolean isHalfLeft = taking.size() / 2 > taking.size() - openCount(taking);
    boolean isAlone = taking.size() == 1 && hasWaitedFor(nowNs, ALONE_NS);
    return isHalfLeft || isAlone
        ? free.stream().min(Comparator.comparingInt(Lane::connectionCount)).orElse(null)
        : null;
  }

  private boolean hasWaitedFor(long nowNs, long leastNs) {
    return !waiting.isEmpty() && nowNs - waiting.firstEntry().getValue() >= leastNs;
  }

  /** How many lanes are not set apart. */
  private int openCount(Collection<Lane> taking) {
    return (int) taking.stream().filter(lane -> !sites.apply(lane).isSetApart()).count();
  }

  private boolean isAnyOtherOpen(Collection<Lane> taking, Lane than) {
    return taking.stream().anyMatch(lane -> lane != than && !sites.apply(lane).isSetApart());
  }

  /**
   * Begins what probation may begin now.
   *
   * @param isSole nobody can be handed over to another upstream
   * @param give gives a suspect to a lane
   */
  void begin(long nowNs, boolean isSole, Giving give) {
    for (ProbationRound round : List.copyOf(probation.values())) {
      boolean isReady =
          !round.isRunning()
              && (isSole || round.site().isEmpty() || round.ageNs(nowNs) >= EMPTYING_NS);
      // Asked after the site was found empty: it may be so because it died, and a shard that loses
      // its lane says that before its connections leave.
      boolean isToBegin = isReady && isSettled.test(round.lane());
      List<Connection> group = isToBegin ? group(round.lane()) : List.of();
      if (!group.isEmpty()) {
        round.begin(nowNs, group.size(), isSettled);
        // First of all, as one may be answered or end at once.
        group.forEach(round::add);
        group.forEach(this::forget);
        group.forEach(suspect -> give.give(suspect, round.lane()));
      }
    }
  }

  /**
   * Those that have waited longest and may be given to this lane. Who has lost an owner alone comes
   * first, and alone: it is cleared by this, or proven to be poisonous.
   */
  private List<Connection> group(Lane lane) {
    List<Connection> likeliest =
        waiting(lane).filter(suspect -> suspect.ownership().hasLostAlone()).limit(1).toList();
    if (!likeliest.isEmpty()) {
      return likeliest;
    }
    List<Connection> unlikely =
        waiting(lane).filter(Probation::isUnlikely).limit(groupSize.unlikely()).toList();
    return unlikely.isEmpty() ? waiting(lane).limit(groupSize.likely()).toList() : unlikely;
  }

  private Stream<Connection> waiting(Lane lane) {
    return waiting.keySet().stream().filter(suspect -> !suspect.ownership().isAvoiding(lane));
  }

  /** Those that have waited for too long where there are lanes, or may be given to none of them. */
  List<Connection> overdue(long nowNs, Collection<Lane> taking) {
    List<Connection> overdue = new ArrayList<>();
    if (taking.isEmpty()) {
      return overdue;
    }
    waiting.forEach((suspect, sinceNs) -> {
      boolean isAvoidingAll = taking.stream().allMatch(suspect.ownership()::isAvoiding);
      if (isAvoidingAll || nowNs - sinceNs >= WAIT_NS_MAX) {
        overdue.add(suspect);
      }
    });
    return overdue;
  }

  // --- outputs ---

  /** How a suspect is given to a lane. */
  interface Giving {
    void give(Connection suspect, Lane lane);
  }

  /** In what company this connection lost this lane. */
  Evidence.Company company(Connection connection, Owner owner) {
    ProbationRound round = probation.get(owner);
    return round == null ? Evidence.Company.OTHERS : round.company(connection);
  }

  /** Nobody waits, and no lane is set apart by this shard. */
  boolean isIdle() {
    return waiting.isEmpty() && probation.isEmpty();
  }

  boolean isAnyWaiting() {
    return !waiting.isEmpty();
  }

  boolean isWaiting(Connection connection) {
    return waiting.containsKey(connection);
  }

  void forEachWaiting(Consumer<Connection> action) {
    waiting.keySet().forEach(action);
  }
}
