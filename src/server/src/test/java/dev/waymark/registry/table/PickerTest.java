package dev.waymark.registry.table;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import dev.waymark.registry.LoadReport;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PickerTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final Table table = new Table(TableLimits.DEFAULTS);
  private final Picker picker = new Picker(table, new SplittableRandom(1));
  private long now = 100 * SECOND;

  @Test
  void some_areDifferentOnesEachTime() {
    register(instance("1", 0), instance("2", 0), instance("3", 0));
    Set<List<String>> seen = new HashSet<>();
    for (int i = 0; i < 100; i++) {
      seen.add(addresses(picker.some("echo", 2)));
    }
    assertThat(seen).hasSize(6);
  }

  @Test
  void some_areNeverUnusable() {
    register(
        with("1", 0, Health.UNHEALTHY),
        with("2", 0, Health.DRAINING),
        with("3", 0, Health.HEALTHY));
    assertThat(addresses(picker.some("echo", 9))).containsExactly("3");
    assertThat(picker.some("unknown", 9)).isEmpty();
  }

  @Test
  void lowerPriority_isUsedOnlyWithoutABetterOne() {
    register(
        with("1", 2, Health.HEALTHY), with("2", 1, Health.HEALTHY), with("3", 0, Health.UNHEALTHY));
    assertThat(addresses(picker.some("echo", 9))).containsExactly("2");
    assertThat(addresses(picker.top("echo", 9, now))).containsExactly("2");
  }

  @Test
  void top_beginsWithTheLeastLoaded() {
    register(instance("1", 0.9), instance("2", 0.1), instance("3", 0.5));
    assertThat(addresses(picker.top("echo", 3, now))).containsExactly("2", "3", "1");
  }

  @Test
  void twoThatAskAtOnce_getDifferentOnes() {
    register(instance("1", 0.9), instance("2", 0.1));
    assertThat(addresses(picker.top("echo", 1, now))).containsExactly("2");
    assertThat(addresses(picker.top("echo", 1, now))).containsExactly("1");
    assertThat(addresses(picker.top("echo", 1, now))).containsExactly("2");
    now += 6 * SECOND;
    assertThat(addresses(picker.top("echo", 1, now))).containsExactly("2");
  }

  @Test
  void fullInstance_comesLastHoweverOftenOthersWereHandedOut() {
    register(instance("1", 1.0), instance("2", 0.5));
    for (int i = 0; i < 5; i++) {
      assertThat(addresses(picker.top("echo", 1, now))).containsExactly("2");
    }
  }

  @Test
  void occupiedCapacity_countsAsLoad() {
    register(
        instance("1", 0).withLoad(new LoadReport(0, 100, 80, 0, 0, 0)),
        instance("2", 0).withLoad(new LoadReport(0, 100, 20, 0, 0, 0)));
    assertThat(addresses(picker.top("echo", 2, now))).containsExactly("2", "1");
  }

  private void register(Instance... instances) {
    table.open("a", SECOND, List.of(instances), new ArrayList<>(), now);
  }

  private static Instance instance(String address, double utilisation) {
    return with(address, 0, Health.HEALTHY).withLoad(new LoadReport(utilisation, 0, 0, 0, 0, 0));
  }

  private static Instance with(String address, int priority, Health health) {
    return new Instance("echo", address, 1, priority, Map.of(), health, LoadReport.UNKNOWN);
  }

  private static List<String> addresses(List<Instance> instances) {
    return instances.stream().map(Instance::address).toList();
  }
}
