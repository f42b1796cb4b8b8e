package dev.waymark.registry.table;

import dev.waymark.registry.Catalog.Entry;
import dev.waymark.registry.Instance;
import dev.waymark.registry.InstanceKey;
import dev.waymark.registry.LoadReport;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Picks usable instances of a service for clients that ask once. Of several priorities, the first
 * with a usable instance counts. Confined to one thread.
 */
public final class Picker {
  /** For so long an address that was handed out ranks lower. */
  static final long REMEMBERED_NS = 5_000_000_000L;

  /** Those handed out first are forgotten first. */
  static final int REMEMBERED_MAX = 100_000;

  /** An instance as busy as this has no room: it comes last. */
  private static final double FULL = 1;

  private record HandOut(long atNs, int count) {}

  private record Ranked(Instance instance, boolean isFull, int handOuts, double load) {}

  private final Table table;
  private final RandomGenerator random;

  /** In the order of the last hand-out. */
  private final Map<InstanceKey, HandOut> handedOut = new LinkedHashMap<>();

  public Picker(Table table, RandomGenerator random) {
    this.table = table;
    this.random = random;
  }

  /** At most {@code max} instances, in random order. */
  public List<Instance> some(String service, int max) {
    List<Instance> usable = usable(service);
    Collections.shuffle(usable, java.util.Random.from(random));
    return List.copyOf(usable.subList(0, Math.min(max, usable.size())));
  }

  /**
   * At most {@code max} instances: first those that were handed out least often within the last
   * seconds, among them the least loaded. Those that are full come last.
   */
  public List<Instance> top(String service, int max, long nowNs) {
    forget(nowNs);
    List<Instance> usable = usable(service);
    // Equals take turns.
    Collections.shuffle(usable, java.util.Random.from(random));
    List<Instance> top =
        usable.stream()
            .map(this::ranked)
            .sorted(
                Comparator.comparing(Ranked::isFull)
                    .thenComparingInt(Ranked::handOuts)
                    .thenComparingDouble(Ranked::load))
            .limit(max)
            .map(Ranked::instance)
            .toList();
    top.forEach(instance -> remember(instance.key(), nowNs));
    return top;
  }

  private List<Instance> usable(String service) {
    List<Instance> usable = new ArrayList<>();
    int priority = Integer.MAX_VALUE;
    for (Entry entry : table.instances(service)) {
      Instance instance = entry.instance();
      if (entry.isUsable() && instance.priority() <= priority) {
        if (instance.priority() < priority) {
          usable.clear();
          priority = instance.priority();
        }
        usable.add(instance);
      }
    }
    return usable;
  }

  private Ranked ranked(Instance instance) {
    double load = load(instance.load());
    HandOut last = handedOut.get(instance.key());
    return new Ranked(instance, load >= FULL, last == null ? 0 : last.count(), load);
  }

  /** What is known to be in use; an instance that says nothing counts as idle. */
  private static double load(LoadReport report) {
    double occupied = report.capacity() == 0 ? 0 : (double) report.inFlight() / report.capacity();
    return Math.max(report.utilisation(), occupied);
  }

  private void remember(InstanceKey key, long nowNs) {
    HandOut last = handedOut.remove(key);
    handedOut.put(key, new HandOut(nowNs, last == null ? 1 : last.count() + 1));
    if (handedOut.size() > REMEMBERED_MAX) {
      Iterator<InstanceKey> oldest = handedOut.keySet().iterator();
      oldest.next();
      oldest.remove();
    }
  }

  private void forget(long nowNs) {
    handedOut.values().removeIf(handOut -> nowNs - handOut.atNs() > REMEMBERED_NS);
  }
}
