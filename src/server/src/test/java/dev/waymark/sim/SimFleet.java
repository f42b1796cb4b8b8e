package dev.waymark.sim;

import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The upstream processes of a run, and what the bridge is told of them. */
final class SimFleet {
  private final Sim sim;
  private final Dice dice;
  private final boolean isFollowingLeader;
  private final List<SimProcess> processes = new ArrayList<>();
  private long version;

  SimFleet(Sim sim, Dice dice, SimSetup setup) {
    this.sim = sim;
    this.dice = dice;
    this.isFollowingLeader = setup.moving().isFollowingLeader();
    setup.kinds().forEach(kind -> processes.add(new SimProcess(dice, processes.size(), kind)));
  }

  SimProcess at(String address) {
    return processes.get(Integer.parseInt(address.substring("upstream:".length())));
  }

  void act() {
    Faults faults = sim.faults();
    processes.forEach(process -> process.act(sim.nowNs(), faults.isPoisonAlone()));
    if (dice.chance(faults.crashes())) {
      any().crash(sim.nowNs());
    }
    if (dice.chance(faults.freezes())) {
      any().freeze();
    }
    if (dice.chance(faults.drains())) {
      any().drain();
    }
    if (dice.chance(faults.healthChanges())) {
      flap();
      publish();
    }
  }

  private SimProcess any() {
    return processes.get(dice.upTo(processes.size()));
  }

  private void flap() {
    if (isFollowingLeader) {
      elect(dice.oneIn(3) ? null : any());
    } else if (dice.oneIn(4)) {
      processes.forEach(process -> process.view(true, UpstreamState.SERVING));
    } else {
      UpstreamState[] all = UpstreamState.values();
      any()
          .view(!dice.oneIn(4), dice.oneIn(2) ? UpstreamState.SERVING : all[dice.upTo(all.length)]);
    }
  }

  private void elect(SimProcess leader) {
    processes.forEach(process ->
        process.view(true, process == leader ? UpstreamState.SERVING : UpstreamState.DOWN));
  }

  /** The bridge learns of them. */
  void publish() {
    for (SimProcess process : processes) {
      sim.watchers().tell(watcher -> watcher.onView(process.number(), process.isServing()));
    }
    List<UpstreamView> views =
        processes.stream().map(SimProcess::view).filter(Objects::nonNull).toList();
    sim.told(new PoolSnapshot("pool", ++version, views));
  }

  /** All of them serve, one of them leads. */
  void heal() {
    processes.forEach(SimProcess::heal);
    processes.forEach(process -> process.view(true, UpstreamState.SERVING));
    if (isFollowingLeader) {
      elect(processes.getFirst());
    }
    publish();
  }

  @Override
  public String toString() {
    return processes.toString();
  }
}
