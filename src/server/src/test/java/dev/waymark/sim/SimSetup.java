package dev.waymark.sim;

import dev.waymark.engine.base.Limits;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.base.PoolOptions.Acknowledge;
import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.protocol.Framing;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What a run is set up with, chosen by its seed. Immutable.
 *
 * @param kinds of the upstreams
 */
record SimSetup(
    int shards,
    Limits limits,
    PoolOptions pool,
    ListenerOptions listener,
    List<SimUpstream.Kind> kinds) {
  private static final long MS = 1_000_000L;

  /** How long a process stays down after poison, where nothing else goes wrong. */
  static final long RESTART_NS_MAX = 400 * MS;

  /** Upstreams that are honest and come back within the wait. */
  static SimSetup withPoison(Dice dice) {
    SimSetup any = any(dice);
    PoolOptions.Moving moving =
        new PoolOptions.Moving(0, 60_000 * MS, 0, 2_000, dice.oneIn(2), false, false);
    return new SimSetup(
        any.shards,
        any.limits,
        new PoolOptions(
            "pool", Acknowledge.AUTO, 5_000 * MS, any.pool.noUpstreamBytesMax(), moving),
        new ListenerOptions("listener", "pool", any.listener.framing(), 64, 0),
        Collections.nCopies(2 + dice.upTo(3), SimUpstream.Kind.HONEST));
  }

  static SimSetup any(Dice dice) {
    Framing framing = dice.oneIn(2) ? new Framing.Line() : Framing.RAW;
    int acknowledge = dice.upTo(10);
    PoolOptions pool =
        new PoolOptions(
            "pool",
            acknowledge > 1 ? Acknowledge.AUTO : Acknowledge.values()[1 + acknowledge],
            dice.oneIn(5) ? 0 : 1000 * MS,
            dice.upTo(400),
            moving(dice));
    return new SimSetup(
        1 + dice.upTo(3),
        limits(dice),
        pool,
        new ListenerOptions("listener", "pool", framing, 64, dice.oneIn(3) ? 3000 * MS : 0),
        kinds(dice, pool.acknowledge()));
  }

  private static PoolOptions.Moving moving(Dice dice) {
    return new PoolOptions.Moving(
        dice.oneIn(3) ? 0 : (1000 + dice.upTo(8000)) * MS,
        (300 + dice.upTo(5000)) * MS,
        dice.oneIn(3) ? 0 : (500 + dice.upTo(5000)) * MS,
        dice.oneIn(3) ? 3 + dice.upTo(20) : 2_000,
        dice.oneIn(2),
        dice.oneIn(4),
        dice.oneIn(2));
  }

  private static Limits limits(Dice dice) {
    int window = 50 + dice.upTo(1500);
    int grant = 20 + dice.upTo(1500);
    boolean isQuick = dice.oneIn(2);
    return new Limits(
        window,
        1 + dice.upTo(window),
        grant,
        grant + dice.upTo(2000),
        dice.oneIn(3) ? 300 + dice.upTo(3000) : 1 << 20,
        100 + dice.upTo(2000),
        4096,
        1000 * MS,
        (isQuick ? 2000 : 10_000) * MS,
        (isQuick ? 500 : 2000) * MS,
        (isQuick ? 1500 : 6000) * MS,
        100 * MS,
        (isQuick ? 500 : 2000) * MS,
        20 * MS,
        10_000 * MS,
        (isQuick ? 500 : 5000) * MS,
        20 + dice.upTo(500),
        0);
  }

  private static List<SimUpstream.Kind> kinds(Dice dice, Acknowledge acknowledge) {
    SimUpstream.Kind[] all = SimUpstream.Kind.values();
    List<SimUpstream.Kind> kinds = new ArrayList<>();
    for (int i = 1 + dice.upTo(4); i > 0; i--) {
      // Each run has some that are honest, or there would be nothing to save.
      SimUpstream.Kind any = dice.oneIn(2) ? SimUpstream.Kind.HONEST : all[dice.upTo(all.length)];
      kinds.add(acknowledge == Acknowledge.NEVER ? SimUpstream.Kind.AT_MOST_ONCE : any);
    }
    return List.copyOf(kinds);
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
