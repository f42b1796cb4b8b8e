package dev.waymark.sim;

import dev.waymark.engine.connection.AgeOptions;
import dev.waymark.sim.checkers.Ages;
import dev.waymark.sim.checkers.Innocents;
import dev.waymark.sim.checkers.Ledger;
import dev.waymark.sim.checkers.PendingStates;
import dev.waymark.sim.checkers.Rule10Memory;
import dev.waymark.sim.checkers.Rule1Order;
import dev.waymark.sim.checkers.Rule2Windows;
import dev.waymark.sim.checkers.Rule3Replay;
import dev.waymark.sim.checkers.Rule6Owners;
import dev.waymark.sim.checkers.Rule6Pushes;
import dev.waymark.sim.checkers.Rule7Clocks;
import dev.waymark.sim.checkers.Rule8Late;
import dev.waymark.sim.checkers.Rule9HandOver;
import dev.waymark.sim.checkers.RuleBrokenError;
import dev.waymark.sim.checkers.Standstills;
import dev.waymark.sim.checkers.Watcher;
import java.util.List;
import java.util.function.Consumer;

/**
 * All rule checkers of a run. The simulation reports every input and output of the shards through
 * {@link #tell}; a checker throws {@link RuleBrokenError} at the first violation.
 */
final class Watchers {
  private final Ledger ledger;
  private final Rule1Order order = new Rule1Order();
  private final Rule2Windows windows;
  private final Rule3Replay replay;
  private final Rule6Owners owners;
  private final Rule10Memory memory;
  private final Rule6Pushes pushes;
  private final Standstills standstills;
  private final Innocents innocents;
  private final Ages ages;
  private final Watcher[] all;
  private boolean isMute;

  Watchers(SimSetup setup, boolean isPoisonOnly) {
    ledger = new Ledger(setup.moving().isResumingAtMostOnce(), setup.isSettingsRequired());
    replay = new Rule3Replay(ledger);
    owners = new Rule6Owners(ledger, setup.moving().isFollowingLeader());
    pushes = new Rule6Pushes(ledger, setup.limits().pushWaitNs(), setup.shards());
    memory = new Rule10Memory(ledger, pushes, setup.limits().memoryBudgetBytes(), setup.shards());
    standstills =
        new Standstills(
            setup.limits().laneTimeoutNs(),
            setup.pool().noUpstreamWaitNs(),
            setup.listener().idleTimeoutNs(),
            setup.listener().firstByteTimeoutNs(),
            setup.shards());
    innocents =
        new Innocents(
            isPoisonOnly,
            setup.moving().isFollowingLeader() ? 0 : setup.pool().noUpstreamWaitNs(),
            setup.shards());
    AgeOptions age = setup.listener().age();
    ages =
        new Ages(
            ledger,
            new Ages.Limit(age.maxNs(), age.jitterPercent(), age.graceNs()),
            setup.shards());
    windows =
        new Rule2Windows(ledger, setup.limits().windowBytes(), setup.limits().initialWindowBytes());
    List<Watcher> rules =
        List.of(
            standstills,
            order,
            windows,
            replay,
            owners,
            pushes,
            new Rule7Clocks(
                ledger, setup.moving().progressTimeoutNs(), setup.moving().releaseTimeoutNs()),
            new Rule8Late(ledger),
            new Rule9HandOver(ledger),
            new PendingStates(
                ledger,
                owners,
                replay,
                setup.pool().noUpstreamWaitNs(),
                setup.limits().commitTimeoutNs()),
            innocents,
            ages,
            memory);
    ledger.rules(rules);
    all = new Watcher[rules.size() + 1];
    rules.toArray(all);
    all[rules.size()] = ledger;
  }

  /** Ignores all violations from now on. */
  void mute() {
    isMute = true;
  }

  boolean isMute() {
    return isMute;
  }

  /** Reports an event: to the ledger last, so that rules see the state before the event there. */
  void tell(Consumer<Watcher> event) {
    for (Watcher watcher : all) {
      try {
        event.accept(watcher);
      } catch (RuleBrokenError broken) {
        if (!isMute) {
          throw broken;
        }
      }
    }
  }

  Ledger ledger() {
    return ledger;
  }

  Rule1Order order() {
    return order;
  }

  Rule2Windows windows() {
    return windows;
  }

  Rule3Replay replay() {
    return replay;
  }

  Innocents innocents() {
    return innocents;
  }

  Ages ages() {
    return ages;
  }

  Rule6Owners owners() {
    return owners;
  }

  Rule6Pushes pushes() {
    return pushes;
  }

  Standstills standstills() {
    return standstills;
  }

  Rule10Memory memory() {
    return memory;
  }
}
