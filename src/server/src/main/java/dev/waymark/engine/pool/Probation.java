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
 * Finds out which request kills its upstreams, without letting it walk through the fleet (rule 3).
 *
 * <p><b>The problem.</b> A request that crashes an upstream takes every other request along that
 * the upstream was working on. The bridge replays all of them elsewhere, the poisonous one too, and
 * the next upstream crashes. From a single loss nobody can tell which of thousands of connections
 * is to blame, and closing all of them would punish the innocent.
 *
 * <p><b>The idea.</b> A connection that has lost several owners without any progress becomes a
 * suspect. Suspects do not go to upstreams that serve others. Instead, an upstream is set apart for
 * them: its other connections are handed over first, and then suspects are tried on it, one round
 * at a time across all shards. A suspect that is answered is cleared. One that loses an owner that
 * no other connection used is very likely to blame; {@link Evidence} decides when that is proof,
 * and then the connection is closed with POISON.
 *
 * <p><b>Why it is correct.</b> Only losses in isolation count against a suspect, so an innocent
 * connection beside a poisonous one is not blamed. Upstreams that die of something else are noticed
 * too: they die without connections, or a suspect that lost one in isolation is answered by the
 * next. Such doubts raise the number of losses that count as proof.
 *
 * <p><b>The cost.</b> Suspects wait, and one upstream at a time serves nobody else. Where rounds of
 * one suspect would take too long, because requests are slow or suspects are many, {@link
 * GroupSize} puts several into a round, unlikely ones first. A group whose upstream lives is
 * cleared at once; one that kills it says little about each member.
 *
 * <p>Confined to its shard's thread. What shards have to know about each other is in {@link
 * ProbationSite} and {@link PoisonQuarantine}.
 */
final class Probation {
  /** At most this many wait; more are placed without probation. */
  static final int WAITING_MAX = 1_024;

  /** The longest time that a suspect waits. */
  static final long WAIT_NS_MAX = 30_000_000_000L;

  /** How long other connections have to leave a lane; then suspects join those that stayed. */
  static final long EMPTYING_NS = 1_000_000_000L;

  /** How long suspects wait for a second lane before they share the only one. */
  static final long ALONE_NS = 5_000_000_000L;

  /** The length of a shard's turn if other shards have suspects too; then it waits for a tick. */
  private static final long TURN_NS = 500_000_000L;

  private final int shard;
  private final PoisonQuarantine quarantine;
  private final Function<Lane, ProbationSite> sites;
  private final Predicate<Lane> isSettled;

  /** The waiting suspects, and since when each waits. */
  private final LinkedHashMap<Connection, Long> waiting = new LinkedHashMap<>();

  private final LinkedHashMap<Lane, ProbationRound> probation = new LinkedHashMap<>();

  private final GroupSize groupSize = new GroupSize();
  private boolean isTurnOver;
  private long turnSinceNs;

  /**
   * @param shard the index of this shard
   * @param sites finds the site of a lane
   * @param isSettled whether, as far as is known, a lane leads to the current process
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
   * @return false if it must not wait, or has waited for too long
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

  /** The connection no longer waits for a round. */
  void forget(Connection connection) {
    if (waiting.remove(connection) != null && waiting.isEmpty()) {
      quarantine.waiting(false);
    }
  }

  /**
   * The connection was answered on this lane, or has left it.
   *
   * @return whether that ends its round, so that {@link #settle} has something to do
   */
  boolean leave(Owner.Attached connection, Owner owner) {
    ProbationRound round = probation.get(owner);
    return round != null && round.remove(connection);
  }

  /** The lane is breaking; its connections have not been told yet. */
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

  /** Renews claims, and may begin a new turn of this shard. */
  void onTick(long nowNs) {
    if (isTurnOver) {
      isTurnOver = false;
      turnSinceNs = nowNs;
    }
    // A claim that lapsed while this shard stood still may belong to another shard now.
    probation.values().removeIf(round -> !round.site().claim(shard) && !round.isRunning());
  }

  /**
   * Ends the rounds that are over, and sets lanes apart for the next ones.
   *
   * @param accepting the lanes that accept connections
   * @return the lanes newly set apart or kept so: their other connections have to leave
   */
  List<Lane> settle(long nowNs, Collection<Lane> accepting) {
    List<Lane> toEmpty = new ArrayList<>();
    for (ProbationRound round : List.copyOf(probation.values())) {
      boolean isAccepting = accepting.contains(round.lane());
      boolean isOver = round.isRunning() && isOver(nowNs, round);
      boolean isIdle = !round.isRunning() && (!isAccepting || !isUseful(round.lane()));
      if (isOver && isAccepting && getsAnotherGroup(nowNs, round, accepting)) {
        toEmpty.add(round.lane());
      } else if (isOver || isIdle) {
        // A running round on a lane that no longer accepts connections is kept: the lane may be
        // about to break.
        giveUp(round);
      }
    }
    int idle = (int) probation.values().stream().filter(round -> !round.isRunning()).count();
    while (!isTurnOver && idle < waiting.size()) {
      Lane chosen = choose(nowNs, accepting);
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

  /** Whether the lane gets another group. */
  private boolean getsAnotherGroup(long nowNs, ProbationRound round, Collection<Lane> accepting) {
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
    return accepting.size() == 1 || (isAnswered && hasOtherOpen(accepting, round.lane()));
  }

  private static boolean isUnlikely(Connection suspect) {
    return suspect.ownership().isUnlikely();
  }

  /** Whether a waiting suspect may go to this lane. */
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

  /** Returns the lane where suspects endanger the fewest connections, or null if there is none. */
  private @Nullable Lane choose(long nowNs, Collection<Lane> accepting) {
    List<Lane> free =
        accepting.stream()
            .filter(lane -> !probation.containsKey(lane) && lane.isWritable() && isWanted(lane))
            .filter(lane -> sites.apply(lane).isFree())
            .filter(isSettled)
            .toList();
    for (Lane lane : free) {
      if (sites.apply(lane).isEmpty()) {
        return lane;
      }
    }
    boolean isHalfLeft = accepting.size() / 2 > accepting.size() - openCount(accepting);
    boolean isAlone = accepting.size() == 1 && hasWaitedFor(nowNs, ALONE_NS);
    return isHalfLeft || isAlone
        ? free.stream().min(Comparator.comparingInt(Lane::connectionCount)).orElse(null)
        : null;
  }

  private boolean hasWaitedFor(long nowNs, long leastNs) {
    return !waiting.isEmpty() && nowNs - waiting.firstEntry().getValue() >= leastNs;
  }

  /** How many lanes are not set apart. */
  private int openCount(Collection<Lane> accepting) {
    return (int) accepting.stream().filter(lane -> !sites.apply(lane).isSetApart()).count();
  }

  private boolean hasOtherOpen(Collection<Lane> accepting, Lane than) {
    return accepting.stream().anyMatch(lane -> lane != than && !sites.apply(lane).isSetApart());
  }

  /**
   * Begins the rounds whose lanes are ready.
   *
   * @param isSole whether there is no other upstream to hand connections over to
   * @param give attaches a suspect to a lane
   */
  void begin(long nowNs, boolean isSole, Giving give) {
    for (ProbationRound round : List.copyOf(probation.values())) {
      boolean isReady =
          !round.isRunning()
              && (isSole || round.site().isEmpty() || round.ageNs(nowNs) >= EMPTYING_NS);
      // Checked after the site was found empty: it may be empty because it died, and a shard that
      // loses its lane reports that before its connections leave.
      boolean canBegin = isReady && isSettled.test(round.lane());
      List<Connection> group = canBegin ? group(round.lane()) : List.of();
      if (!group.isEmpty()) {
        round.begin(nowNs, group.size(), isSettled);
        // Before any is attached: a suspect may be answered, or end, at once.
        group.forEach(round::add);
        group.forEach(this::forget);
        group.forEach(suspect -> give.give(suspect, round.lane()));
      }
    }
  }

  /**
   * Returns the suspects for the next round: those that have waited longest among those that may go
   * to this lane. One that has lost an owner in isolation comes first, and alone: the round clears
   * it or proves it poisonous.
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

  /**
   * Returns the suspects that have waited too long although there are lanes, or avoid all lanes.
   */
  List<Connection> overdue(long nowNs, Collection<Lane> accepting) {
    List<Connection> overdue = new ArrayList<>();
    if (accepting.isEmpty()) {
      return overdue;
    }
    waiting.forEach((suspect, sinceNs) -> {
      boolean isAvoidingAll = accepting.stream().allMatch(suspect.ownership()::isAvoiding);
      if (isAvoidingAll || nowNs - sinceNs >= WAIT_NS_MAX) {
        overdue.add(suspect);
      }
    });
    return overdue;
  }

  // --- outputs ---

  /** Attaches a suspect to a lane. */
  interface Giving {
    void give(Connection suspect, Lane lane);
  }

  /** Returns how isolated this connection was when it lost this lane. */
  Evidence.Company company(Connection connection, Owner owner) {
    ProbationRound round = probation.get(owner);
    return round == null ? Evidence.Company.OTHERS : round.company(connection);
  }

  /** Whether no suspect waits and this shard has set no lane apart. */
  boolean isIdle() {
    return waiting.isEmpty() && probation.isEmpty();
  }

  boolean hasWaiting() {
    return !waiting.isEmpty();
  }

  boolean isWaiting(Connection connection) {
    return waiting.containsKey(connection);
  }

  void forEachWaiting(Consumer<Connection> action) {
    waiting.keySet().forEach(action);
  }
}
