package dev.waymark.sim;

import dev.waymark.sim.checkers.Rule10Memory;
import dev.waymark.sim.checkers.Rule1Order;
import dev.waymark.sim.checkers.Rule2Windows;
import dev.waymark.sim.checkers.Rule3Replay;
import dev.waymark.sim.checkers.Rule8Late;
import dev.waymark.sim.checkers.Watcher;
import java.util.List;
import java.util.function.Consumer;

/** All checkers of a run. */
record Watchers(
    Rule1Order order,
    Rule2Windows windows,
    Rule3Replay replay,
    Rule8Late late,
    Rule10Memory memory) {
  void tell(Consumer<Watcher> event) {
    for (Watcher watcher : List.of(order, windows, replay, late, memory)) {
      event.accept(watcher);
    }
  }
}
