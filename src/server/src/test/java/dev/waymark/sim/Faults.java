package dev.waymark.sim;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The rate of each {@link Fault}, in strikes per 10,000 opportunities. Immutable. */
final class Faults {
  private final EnumMap<Fault, Integer> rates;

  private Faults(Map<Fault, Integer> rates) {
    this.rates = new EnumMap<>(Fault.class);
    rates.forEach((fault, rate) -> {
      if (rate > 0) {
        this.rates.put(fault, rate);
      }
    });
  }

  /** No faults; there are a few pushes. */
  static Faults none() {
    return new Faults(Map.of(Fault.PUSH, 200));
  }

  /** Each fault is absent or has a random rate. */
  static Faults any(Dice dice) {
    Map<Fault, Integer> rates = new EnumMap<>(Fault.class);
    for (Fault fault : Fault.values()) {
      rates.put(fault, dice.oneIn(2) ? 0 : dice.upTo(fault.rateMax()));
    }
    return new Faults(rates);
  }

  /** Upstreams come and go; none is hostile, and clients stay and keep reading. */
  static Faults moving() {
    return new Faults(
            Map.of(
                Fault.LANE_BREAK, 30,
                Fault.LANE_STALL, 100,
                Fault.PARTITION, 120,
                Fault.CRASH, 15,
                Fault.FREEZE, 10,
                Fault.HANG, 200,
                Fault.DRAIN, 30,
                Fault.LATE_FRAME, 2000,
                Fault.HEALTH_CHANGE, 60,
                Fault.PUSH, 2000))
        .with(Fault.STANDSTILL, 40);
  }

  /** Poison is the only fault; there are a few pushes. */
  static Faults poison() {
    return new Faults(Map.of(Fault.POISON, 1000, Fault.PUSH, 50));
  }

  /** Parses the format of {@link #toString}. */
  static Faults parse(String text) {
    Map<Fault, Integer> rates = new EnumMap<>(Fault.class);
    for (String each : text.isEmpty() ? new String[0] : text.split("\\+")) {
      String[] parts = each.split(":");
      rates.put(Fault.valueOf(parts[0]), Integer.parseInt(parts[1]));
    }
    return new Faults(rates);
  }

  Faults with(Fault fault, int rate) {
    Map<Fault, Integer> changed = new EnumMap<>(Fault.class);
    changed.putAll(rates);
    changed.put(fault, rate);
    return new Faults(changed);
  }

  Faults without(Fault fault) {
    return with(fault, 0);
  }

  int rate(Fault fault) {
    return rates.getOrDefault(fault, 0);
  }

  /** The faults with a rate above 0. */
  Set<Fault> present() {
    Set<Fault> present = EnumSet.noneOf(Fault.class);
    present.addAll(rates.keySet());
    return present;
  }

  /** Whether poison is the only way to lose an owner. */
  boolean isPoisonOnly() {
    return rate(Fault.POISON) > 0 && EnumSet.of(Fault.POISON, Fault.PUSH).containsAll(present());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Faults faults && rates.equals(faults.rates);
  }

  @Override
  public int hashCode() {
    return rates.hashCode();
  }

  @Override
  public String toString() {
    return new TreeMap<>(rates)
        .entrySet().stream()
            .map(each -> each.getKey() + ":" + each.getValue())
            .collect(Collectors.joining("+"));
  }
}
