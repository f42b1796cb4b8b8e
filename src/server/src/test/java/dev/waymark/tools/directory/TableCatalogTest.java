package dev.waymark.tools.directory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import dev.waymark.registry.LoadReport;
import dev.waymark.registry.table.Table;
import dev.waymark.registry.table.TableLimits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TableCatalogTest {
  private static final int CHANGES_MAX = 4;
  private static final long TTL_NS = TimeUnit.SECONDS.toNanos(10);

  private final Table table =
      new Table(
          new TableLimits(
              Duration.ofSeconds(10), 10, 100, 100, CHANGES_MAX, Duration.ofSeconds(60)));
  private final TableCatalog catalog = new TableCatalog(table);
  private final List<Set<String>> told = new ArrayList<>();

  @Test
  void changes_areToldTogetherAndOnce() {
    catalog.subscribe(told::add);
    register("a", "b");
    catalog.flush();
    catalog.flush();
    assertThat(told).containsExactly(Set.of("a", "b"));
  }

  @Test
  void serviceThatIsGone_isToldEvenIfItsChangeIsForgotten() {
    register("gone");
    catalog.flush();
    catalog.subscribe(told::add);
    register("a", "b", "c", "d");
    catalog.flush();
    assertThat(told).containsExactly(Set.of("gone", "a", "b", "c", "d"));
  }

  @Test
  void subscriberThatHasLeft_isToldNothing() {
    catalog.subscribe(told::add).run();
    register("a");
    catalog.flush();
    assertThat(told).isEmpty();
  }

  /** A node with one instance of each service, and nothing else. */
  private void register(String... services) {
    List<Instance> instances = new ArrayList<>();
    for (String service : services) {
      instances.add(
          new Instance(service, "10.0.0.1:1", 1, 0, Map.of(), Health.HEALTHY, LoadReport.UNKNOWN));
    }
    table.open("node", TTL_NS, instances, new ArrayList<>(), 1);
  }
}
