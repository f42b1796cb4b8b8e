package dev.waymark;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Which classes of the engine depend on one another in a circle: the strongly connected components
 * of its top-level classes. None may cross a package; those within one are listed here, each with
 * its reason. The list may only shrink: a component that is gone has to be taken off it.
 */
class EngineCyclesTest {
  private static final String ENGINE = "dev.waymark.engine";

  /** The simple names of each component, in order, and why it is one. */
  private static final Map<String, String> KNOWN =
      Map.ofEntries(
          entry(
              "Connection ConnectionHost",
              "a connection names itself where it asks its host to flush it, to find it an owner"
                  + " or to forget it; the interface is the connection's own"),
          entry(
              "Lane LaneHost LanePool",
              "a lane names itself to its pool and its shard in the same way"));

  private final Map<String, Set<String>> dependencies = new TreeMap<>();
  private final Map<String, Integer> numbers = new HashMap<>();
  private final Map<String, Integer> lowest = new HashMap<>();
  private final Deque<String> path = new ArrayDeque<>();
  private final Set<Set<String>> components = new LinkedHashSet<>();

  @Test
  void cycles_ofTopLevelClasses_areThoseThatAreKnown() {
    for (JavaClass each :
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ENGINE)) {
      for (Dependency dependency : each.getDirectDependenciesFromSelf()) {
        add(topLevel(each), topLevel(dependency.getTargetClass().getBaseComponentType()));
      }
    }
    assertThat(dependencies).as("the engine was read").hasSizeGreaterThan(50);
    dependencies.keySet().forEach(this::visit);

    Set<String> found = new TreeSet<>();
    for (Set<String> component : components) {
      Set<String> packages = new TreeSet<>();
      Set<String> names = new TreeSet<>();
      for (String each : component) {
        packages.add(each.substring(0, each.lastIndexOf('.')));
        names.add(each.substring(each.lastIndexOf('.') + 1));
      }
      assertThat(packages).as("a cycle of %s crosses packages", names).hasSize(1);
      found.add(String.join(" ", names));
    }
    assertThat(found).isEqualTo(new TreeSet<>(KNOWN.keySet()));
  }

  private void add(String from, String to) {
    dependencies.computeIfAbsent(from, _ -> new TreeSet<>());
    if (!from.equals(to) && to.startsWith(ENGINE + ".")) {
      dependencies.get(from).add(to);
    }
  }

  private static String topLevel(JavaClass each) {
    String name = each.getName();
    int nested = name.indexOf('$');
    return nested < 0 ? name : name.substring(0, nested);
  }

  /** Tarjan, 1972: a component is what is left on the path above its first class. */
  private void visit(String each) {
    if (numbers.containsKey(each)) {
      return;
    }
    int number = numbers.size();
    numbers.put(each, number);
    lowest.put(each, number);
    path.push(each);
    for (String next : dependencies.getOrDefault(each, Set.of())) {
      if (!numbers.containsKey(next)) {
        visit(next);
        lowest.merge(each, lowest.get(next), Math::min);
      } else if (path.contains(next)) {
        lowest.merge(each, numbers.get(next), Math::min);
      }
    }
    if (lowest.get(each) == number) {
      Set<String> component = new TreeSet<>();
      String member;
      do {
        member = path.pop();
        component.add(member);
      } while (!member.equals(each));
      if (component.size() > 1) {
        components.add(component);
      }
    }
  }
}
