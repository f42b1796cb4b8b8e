package dev.waymark.sim;

import dev.waymark.engine.base.Backoff;
import dev.waymark.engine.base.Limits;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.base.PoolOptions.Acknowledge;
import dev.waymark.engine.connection.AgeOptions;
import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.protocol.Framing;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * The configuration of a run, chosen by its seed: shards, limits, options and upstreams. Immutable.
 *
 * @param kinds one per upstream
 */
record SimSetup(
    int shards,
    Limits limits,
    PoolOptions pool,
    ListenerOptions listener,
    List<SimUpstream.Kind> kinds) {
  private static final long MS = 1_000_000L;

  /** The longest time that a process stays down after poison, if poison is the only fault. */
  static final long RESTART_NS_MAX = 400 * MS;

  /** Returns what the seed chooses, within the bounds of the plan. */
  static SimSetup of(Plan plan, Dice dice) {
    SimSetup chosen = plan.faults().isPoisonOnly() ? withPoison(dice) : any(dice);
    return new SimSetup(
        Math.min(chosen.shards, plan.shardsMax()),
        chosen.limits,
        chosen.pool,
        chosen.listener,
        chosen.kinds.subList(0, Math.min(chosen.kinds.size(), plan.upstreamsMax())));
  }

  /** Honest upstreams that come back before connections stop waiting for them. */
  private static SimSetup withPoison(Dice dice) {
    SimSetup any = any(dice);
    PoolOptions.Moving moving =
        PoolOptions.Moving.builder()
            .progressTimeoutNs(0)
            .releaseTimeoutNs(60_000 * MS)
            .drainTimeoutNs(0)
            .isRebalancing(dice.oneIn(2))
            .build();
    return new SimSetup(
        any.shards,
        any.limits,
        new PoolOptions(
            "pool", Acknowledge.AUTO, 5_000 * MS, any.pool.noUpstreamBytesMax(), moving),
        new ListenerOptions("listener", "pool", any.listener.framing(), 64, 0),
        Collections.nCopies(2 + dice.upTo(3), SimUpstream.Kind.HONEST));
  }

  private static SimSetup any(Dice dice) {
    Framing framing = dice.oneIn(2) ? new Framing.Line() : Framing.RAW;
    int acknowledge = dice.upTo(10);
    PoolOptions pool =
        new PoolOptions(
            "pool",
            acknowledge > 1 ? Acknowledge.AUTO : Acknowledge.values()[1 + acknowledge],
            dice.oneIn(5) ? 0 : 1000 * MS,
            dice.upTo(400),
            moving(dice));
    int shards = dice.oneIn(3) ? 1 : dice.oneIn(4) ? 3 : 2;
    Limits limits = limits(dice);
    long idleTimeoutNs = dice.oneIn(3) ? 3000 * MS : 0;
    AgeOptions age = dice.oneIn(3) ? age(dice) : AgeOptions.OFF;
    List<SimUpstream.Kind> kinds = kinds(dice, pool.acknowledge());
    long firstByteTimeoutNs = dice.oneIn(6) ? (500 + dice.upTo(3000)) * MS : 0;
    ListenerOptions listener =
        new ListenerOptions(
            "listener", "pool", framing, 64, idleTimeoutNs, firstByteTimeoutNs, Set.of(), age);
    return new SimSetup(shards, limits, pool, listener, kinds);
  }

  private static AgeOptions age(Dice dice) {
    return new AgeOptions((200 + dice.upTo(6000)) * MS, dice.upTo(80), dice.upTo(2000) * MS);
  }

  private static PoolOptions.Moving moving(Dice dice) {
    return PoolOptions.Moving.builder()
        .progressTimeoutNs(dice.oneIn(3) ? 0 : (1000 + dice.upTo(8000)) * MS)
        .releaseTimeoutNs((300 + dice.upTo(5000)) * MS)
        .drainTimeoutNs(dice.oneIn(3) ? 0 : (500 + dice.upTo(5000)) * MS)
        .movesPerSecond(dice.oneIn(3) ? 3 + dice.upTo(20) : 2_000)
        .isRebalancing(dice.oneIn(2))
        .isFollowingLeader(dice.oneIn(4))
        .isResumingAtMostOnce(dice.oneIn(2))
        .build();
  }

  private static Limits limits(Dice dice) {
    int window = 50 + dice.upTo(1500);
    int grant = 20 + dice.upTo(1500);
    boolean isQuick = dice.oneIn(2);
    return Limits.builder()
        .windowBytes(window)
        .initialWindowBytes(1 + dice.upTo(window))
        .replyWindowBytes(grant)
        .replyQueueBytesMax(grant + dice.upTo(2000))
        .memoryBudgetBytes(dice.oneIn(3) ? 300 + dice.upTo(3000) : 1 << 20)
        .batchBytesMax(100 + dice.upTo(2000))
        .laneQueueBytesMax(4096)
        .settingsTimeoutNs(1000 * MS)
        .commitTimeoutNs((isQuick ? 2000 : 10_000) * MS)
        .pingIntervalNs((isQuick ? 500 : 2000) * MS)
        .laneTimeoutNs((isQuick ? 1500 : 6000) * MS)
        .laneRetry(new Backoff(100 * MS, (isQuick ? 500 : 2000) * MS))
        .creditDelayNs(20 * MS)
        .lingerTimeoutNs(10_000 * MS)
        .pushWaitNs((isQuick ? 500 : 5000) * MS)
        .pushBytesMax(20 + dice.upTo(500))
        .bufferOverheadBytes(0)
        .build();
  }

  private static List<SimUpstream.Kind> kinds(Dice dice, Acknowledge acknowledge) {
    SimUpstream.Kind[] all = SimUpstream.Kind.values();
    List<SimUpstream.Kind> kinds = new ArrayList<>();
    for (int i = 1 + dice.upTo(4); i > 0; i--) {
      // Half are honest on average: without honest upstreams there is little to check.
      SimUpstream.Kind honest = dice.oneIn(2) ? SimUpstream.Kind.HONEST : SimUpstream.Kind.SDK;
      SimUpstream.Kind plain =
          dice.oneIn(3) ? SimUpstream.Kind.SDK_PLAIN : SimUpstream.Kind.AT_MOST_ONCE;
      SimUpstream.Kind any = dice.oneIn(2) ? honest : all[dice.upTo(all.length)];
      kinds.add(acknowledge == Acknowledge.NEVER ? plain : any);
    }
    return List.copyOf(kinds);
  }

  /** Returns the options of the listener after a reload. */
  ListenerOptions reloadedListener(Dice dice) {
    return new ListenerOptions(
        listener.name(),
        listener.pool(),
        listener.framing(),
        listener.frameBytesMax(),
        dice.oneIn(2) ? listener.idleTimeoutNs() : (2000 + dice.upTo(3000)) * MS,
        listener.firstByteTimeoutNs(),
        Set.of(),
        dice.oneIn(2) ? listener.age() : age(dice));
  }

  PoolOptions.Moving moving() {
    return pool.moving();
  }

  boolean isFramed() {
    return !listener.framing().equals(Framing.RAW);
  }

  boolean isSettingsRequired() {
    return pool.acknowledge() == Acknowledge.REQUIRED;
  }
}
