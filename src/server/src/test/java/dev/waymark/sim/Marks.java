package dev.waymark.sim;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.connection.ForcedDetach;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.ResumeState;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Coverage marks: named situations, and how often runs have reached each. They are derived from
 * counters, close reasons, causes of moves, events, and what the simulated world did; production
 * code does not know them. A mark that no seed reaches is a situation that the simulation does not
 * test. Not related to the {@link dev.waymark.protocol.Mark} of a connection. Not thread-safe.
 */
final class Marks {
  /** Marks of the simulated world; {@link Sim#mark} takes no other names. */
  static final Set<String> OF_THE_WORLD =
      Set.of(
          "bridge drains",
          "bridge stands still",
          "bridge stops under load",
          "credit checked when quiet",
          "leader elected",
          "no leader",
          "pinned connection lost",
          "push from another shard written",
          "reload",
          "sdk closes",
          "sdk commits",
          "sdk consumes without replying",
          "sdk ends its replies",
          "sdk hands over",
          "sdk killed by poison",
          "sdk skips committed bytes",
          "sdk lane stalled",
          "sdk process crashes",
          "sdk push answered",
          "sdk replies wait for credit",
          "sdk sends in parts",
          "sdk replies without Settings",
          "shard asked to free memory",
          "subset drained",
          "upstream weight changes");

  private static final List<String> OF_EVENTS =
      List.of(
          "lane broken: the upstream does not read the answers to its frames",
          "lane broken: it accepted the call and sent no Settings",
          "lane broken: nothing came for # ms after a Ping",
          "lane broken: Settings came after other frames",
          "lane broken: simulated",
          "lane refused",
          "over budget",
          "under budget",
          "upstream draining",
          "upstream forgotten");

  private static final List<String> OF_THE_POOL = List.of("pool: ejected", "pool: returned");

  private final Map<String, Long> counts = new TreeMap<>();

  /** All known marks. */
  static Set<String> all() {
    Set<String> all = new TreeSet<>(OF_THE_WORLD);
    all.addAll(OF_EVENTS);
    all.addAll(OF_THE_POOL);
    Stream.of(CloseReason.values()).forEach(reason -> all.add(end(reason)));
    Stream.of(ResumeState.Cause.values()).forEach(cause -> all.add(move(cause)));
    Stream.of(PushResult.Outcome.values()).forEach(outcome -> all.add("push " + outcome));
    Stream.of(ForcedDetach.Why.values()).forEach(why -> all.add("forced detach " + why));
    Stream.of(OutlierSignal.values()).forEach(why -> all.add("outlier signal " + why));
    Stream.of(Counter.values()).forEach(counter -> all.add("counter " + counter));
    return all;
  }

  static String end(CloseReason reason) {
    return "end " + reason;
  }

  static String move(ResumeState.Cause cause) {
    return "move " + cause;
  }

  /** Adds the marks that a finished run has reached. */
  void add(Sim sim) {
    sim.summaries().forEach(summary -> count(end(summary.reason()), 1));
    for (ResumeState.Cause cause : ResumeState.Cause.values()) {
      count(move(cause), sim.counters().moved(cause));
    }
    for (PushResult.Outcome outcome : PushResult.Outcome.values()) {
      count("push " + outcome, sim.counters().pushes(outcome));
    }
    for (Counter counter : Counter.values()) {
      count("counter " + counter, sim.counters().total(counter));
    }
    sim.seen().forEach(this::count);
    for (String event : sim.poolEvents()) {
      count("pool: " + event.split(" ")[0], 1);
    }
    count("push from another shard written", sim.watchers().pushes().forwarded());
  }

  private void count(String mark, long times) {
    if (times > 0) {
      counts.merge(mark, times, Long::sum);
    }
  }

  /** How often this mark was reached. */
  long count(String mark) {
    return counts.getOrDefault(mark, 0L);
  }

  /** The marks among these that no run has reached. */
  Set<String> unreached(Collection<String> of) {
    Set<String> unreached = new TreeSet<>(of);
    unreached.removeAll(counts.keySet());
    return unreached;
  }

  @Override
  public String toString() {
    return counts.toString();
  }
}
