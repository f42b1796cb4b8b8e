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
 * may be late or wrong, outlier signals from shards, leader elections, and reloads of the options.
 * Publishes the resulting snapshots to the shards.
 */
final class SimFleet {
  private static final String SERVING = "SERVING";
  private static final String UNREACHABLE = "UNREACHABLE";

  private record Signal(String upstream, OutlierSignal why) {}

  private final Sim sim;
  private final Dice dice;
  private final List<SimProcess> processes = new ArrayList<>();
  private final ArrayDeque<Signal> signals = new ArrayDeque<>();
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

  /** All events that the control side has reported about the pool. */
  List<String> events() {
    return pool.events();
  }

  /** The current options of the pool. */
  PoolOptions options() {
    return options;
  }

  /** Publishes the first upstreams and their health. */
  void start() {
    discover();
    if (isFollowingLeader()) {
      elect(anyProcess());
    } else {
      processes.forEach(process -> reportHealth(process, SERVING));
    }
  }

  void act() {
    boolean isSupervised = sim.isPoisonOnly();
    processes.forEach(process -> process.act(sim.nowNs(), isSupervised));
    if (sim.strikes(Fault.CRASH)) {
      anyProcess().crash(sim.nowNs());
    }
    if (sim.strikes(Fault.FREEZE)) {
      anyProcess().freeze();
    }
    if (sim.strikes(Fault.DRAIN)) {
      anyProcess().drain();
    }
    if (sim.strikes(Fault.HEALTH_CHANGE)) {
      changeUpstreams();
    }
    if (sim.strikes(Fault.RELOAD)) {
      reload();
    }
    processes.forEach(this::watch);
    control();
  }

  /** Runs the control side: queued outlier signals and due deadlines. */
  void control() {
    while (!signals.isEmpty()) {
      Signal next = signals.remove();
      pool.onOutlierSignal(sim.nowNs(), next.upstream, next.why);
    }
    OptionalLong deadlineNs = pool.nextDeadlineNs(sim.nowNs());
    if (deadlineNs.isPresent() && deadlineNs.getAsLong() - sim.nowNs() <= 0) {
      pool.onDeadline(sim.nowNs());
      OptionalLong next = pool.nextDeadlineNs(sim.nowNs());
      if (next.isPresent() && next.getAsLong() - sim.nowNs() <= 0) {
        throw new AssertionError("deadlines: a deadline of the pool stays due");
      }
    }
  }

  /** Queues an outlier signal of a shard for the control side. */
  void onOutlierSignal(String upstream, OutlierSignal why) {
    signals.add(new Signal(upstream, why));
  }

  /** Makes the health Watch follow the process up and down, with a delay. */
  private void watch(SimProcess process) {
    boolean isBroken = process.health().equals(UNREACHABLE);
    if (process.isUp() == isBroken && dice.oneIn(20)) {
      reportHealth(process, process.isUp() ? SERVING : UNREACHABLE);
    }
  }

  private SimProcess anyProcess() {
    return processes.get(dice.upTo(processes.size()));
  }

  private void changeUpstreams() {
    if (isFollowingLeader()) {
      elect(dice.oneIn(3) ? null : anyProcess());
    } else if (dice.oneIn(4)) {
      processes.forEach(process -> process.isListed(true));
      discover();
      processes.forEach(process -> reportHealth(process, SERVING));
    } else if (dice.oneIn(3)) {
      anyProcess().isListed(!dice.oneIn(4));
      anyProcess().changeWeight();
      sim.mark("upstream weight changes");
      discover();
    } else if (dice.oneIn(6)) {
      sim.flood(anyProcess().address());
    } else {
      List<String> all = SimulatedPool.healths();
      reportHealth(anyProcess(), dice.oneIn(2) ? SERVING : all.get(dice.upTo(all.size())));
    }
  }

  /** Elects a leader; a former leader may not notice, and still report SERVING. */
  private void elect(@Nullable SimProcess leader) {
    for (SimProcess process : processes) {
      if (process != leader && !dice.oneIn(4)) {
        reportHealth(process, "NOT_SERVING");
      }
    }
    sim.mark(leader == null ? "no leader" : "leader elected");
    if (leader != null) {
      reportHealth(leader, "NOT_SERVING");
      reportHealth(leader, SERVING);
    }
  }

  private void discover() {
    List<Found> found =
        processes.stream().filter(SimProcess::isListed).map(SimProcess::found).toList();
    pool.onFound(sim.nowNs(), found);
    // Upstreams that are new to discovery start without health: repeat the last one.
    processes.forEach(process -> reportHealth(process, process.health()));
  }

  private void reportHealth(SimProcess process, String health) {
    process.health(health);
    pool.onHealth(sim.nowNs(), process.address(), health);
  }

  private boolean isFollowingLeader() {
    return options.moving().isFollowingLeader();
  }

  /** Reloads the options: at once in the pool, and in each shard when it runs its tasks. */
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

  /** Makes all upstreams serve; if the pool follows a leader, only the first one. */
  void heal() {
    processes.forEach(SimProcess::heal);
    processes.forEach(process -> process.isListed(true));
    discover();
    if (isFollowingLeader()) {
      elect(processes.getFirst());
      processes.stream().skip(1).forEach(process -> reportHealth(process, "NOT_SERVING"));
    } else {
      processes.forEach(process -> reportHealth(process, SERVING));
    }
  }

  @Override
  public String toString() {
    return processes + " " + settings;
  }
}
