package dev.waymark.sim;

import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.base.PoolOptions.Moving;
import dev.waymark.upstreams.SimulatedPool;
import dev.waymark.upstreams.SimulatedPool.Found;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The upstream processes of a run, and the control side of their pool: discovery and health, which
 * may be late or wrong, what shards hold against upstreams, and reloads of the configuration.
 */
final class SimFleet {
  private static final String SERVING = "SERVING";
  private static final String UNREACHABLE = "UNREACHABLE";

  private record Suspect(String upstream, OutlierSignal why) {}

  private final Sim sim;
  private final Dice dice;
  private final List<SimProcess> processes = new ArrayList<>();
  private final ArrayDeque<Suspect> suspects = new ArrayDeque<>();
  private final SimulatedPool pool;
  private SimulatedPool.Settings settings;
  private PoolOptions options;

  SimFleet(Sim sim, Dice dice, SimSetup setup) {
    this.sim = sim;
    this.dice = dice;
    this.options = setup.pool();
    this.settings = settings(options.moving());
    this.pool = new SimulatedPool("pool", settings, sim::publish);
    setup.kinds().forEach(kind -> processes.add(new SimProcess(dice, processes.size(), kind)));
  }

  private SimulatedPool.Settings settings(Moving moving) {
    return new SimulatedPool.Settings(
        moving,
        dice.oneIn(2),
        Duration.ofMillis(300 + dice.upTo(2000)),
        dice.oneIn(3) ? Duration.ofMillis(1 + dice.upTo(3000)) : Duration.ZERO,
        dice.oneIn(3) ? dice.upTo(4) * 30 : 100);
  }

  int size() {
    return processes.size();
  }

  SimProcess at(String address) {
    return processes.get(number(address));
  }

  static int number(String address) {
    return Integer.parseInt(address.substring("upstream:".length()));
  }

  /** Everything that was said of the pool. */
  List<String> events() {
    return pool.events();
  }

  /** What holds of the pool now. */
  PoolOptions options() {
    return options;
  }

  /** The first that the bridge learns. */
  void start() {
    find();
    if (isFollowingLeader()) {
      elect(any());
    } else {
      processes.forEach(process -> say(process, SERVING));
    }
  }

  void act() {
    boolean isSupervised = sim.isPoisonAlone();
    processes.forEach(process -> process.act(sim.nowNs(), isSupervised));
    if (sim.strikes(Fault.CRASH)) {
      any().crash(sim.nowNs());
    }
    if (sim.strikes(Fault.FREEZE)) {
      any().freeze();
    }
    if (sim.strikes(Fault.DRAIN)) {
      any().drain();
    }
    if (sim.strikes(Fault.HEALTH_CHANGE)) {
      change();
    }
    if (sim.strikes(Fault.RELOAD)) {
      reload();
    }
    processes.forEach(this::watch);
    control();
  }

  /** What the control side does by itself. */
  void control() {
    while (!suspects.isEmpty()) {
      Suspect next = suspects.remove();
      pool.onOutlierSignal(sim.nowNs(), next.upstream, next.why);
    }
    OptionalLong deadlineNs = pool.nextDeadlineNs(sim.nowNs());
    if (deadlineNs.isPresent() && deadlineNs.getAsLong() - sim.nowNs() <= 0) {
      pool.onDeadline(sim.nowNs());
      OptionalLong next = pool.nextDeadlineNs(sim.nowNs());
      if (next.isPresent() && next.getAsLong() - sim.nowNs() <= 0) {
        throw new AssertionError("deadlines: one of the pool stays due");
      }
    }
  }

  /** A shard holds something against an upstream. */
  void onSuspect(String upstream, OutlierSignal why) {
    suspects.add(new Suspect(upstream, why));
  }

  /** The Watch of a process breaks with it, some time later, and comes back with it. */
  private void watch(SimProcess process) {
    boolean isBroken = process.health().equals(UNREACHABLE);
    if (process.isUp() == isBroken && dice.oneIn(20)) {
      say(process, process.isUp() ? SERVING : UNREACHABLE);
    }
  }

  private SimProcess any() {
    return processes.get(dice.upTo(processes.size()));
  }

  private void change() {
    if (isFollowingLeader()) {
      elect(dice.oneIn(3) ? null : any());
    } else if (dice.oneIn(4)) {
      processes.forEach(process -> process.isListed(true));
      find();
      processes.forEach(process -> say(process, SERVING));
    } else if (dice.oneIn(3)) {
      any().isListed(!dice.oneIn(4));
      any().weigh();
      sim.mark("upstream weighed");
      find();
    } else if (dice.oneIn(6)) {
      sim.flood(any().address());
    } else {
      List<String> all = SimulatedPool.healths();
      say(any(), dice.oneIn(2) ? SERVING : all.get(dice.upTo(all.size())));
    }
  }

  /** The last one may not have noticed that it leads no more. */
  private void elect(@Nullable SimProcess leader) {
    for (SimProcess process : processes) {
      if (process != leader && !dice.oneIn(4)) {
        say(process, "NOT_SERVING");
      }
    }
    sim.mark(leader == null ? "no leader" : "leader elected");
    if (leader != null) {
      say(leader, "NOT_SERVING");
      say(leader, SERVING);
    }
  }

  private void find() {
    List<Found> found =
        processes.stream().filter(SimProcess::isListed).map(SimProcess::found).toList();
    pool.onFound(sim.nowNs(), found);
    // Discovery may have named some anew, whose Watch says what it said.
    processes.forEach(process -> say(process, process.health()));
  }

  private void say(SimProcess process, String health) {
    process.health(health);
    pool.onHealth(sim.nowNs(), process.address(), health);
  }

  private boolean isFollowingLeader() {
    return options.moving().isFollowingLeader();
  }

  /** Another configuration: the pool first, then the shards, each when it gets to it. */
  private void reload() {
    sim.mark("reload");
    Moving now = options.moving();
    Moving next =
        new Moving(
            now.progressTimeoutNs(),
            now.releaseTimeoutNs(),
            dice.oneIn(3) ? 0 : (500 + dice.upTo(5000)) * 1_000_000L,
            dice.oneIn(3) ? 3 + dice.upTo(20) : 2_000,
            dice.oneIn(2),
            now.isFollowingLeader(),
            now.isResumingAtMostOnce());
    options =
        new PoolOptions(
            options.name(),
            options.acknowledge(),
            options.noUpstreamWaitNs(),
            dice.upTo(400),
            next);
    settings = settings(next);
    pool.reconfigure(sim.nowNs(), settings);
    sim.configure(options);
  }

  /** All of them serve, one of them leads. */
  void heal() {
    processes.forEach(SimProcess::heal);
    processes.forEach(process -> process.isListed(true));
    find();
    if (isFollowingLeader()) {
      elect(processes.getFirst());
      processes.stream().skip(1).forEach(process -> say(process, "NOT_SERVING"));
    } else {
      processes.forEach(process -> say(process, SERVING));
    }
  }

  @Override
  public String toString() {
    return processes + " " + settings;
  }
}
