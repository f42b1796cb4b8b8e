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
 * Bounds the dependency cycles of the engine: the strongly connected components of its top-level
 * classes. None may cross packages; those within one are listed here, each with its reason. The
 * list may only shrink: a cycle that is gone must be removed from it.
 */
class EngineCyclesTest {
  private static final String ENGINE = "dev.waymark.engine";

  /** The known cycles: the sorted simple names of the classes, and the reason. */
  private static final Map<String, String> KNOWN =
      Map.ofEntries(
          entry(
              "Connection ConnectionHost",
              "a connection passes itself to its host to be flushed, given an owner or forgotten;"
                  + " it declares the interface for that itself"),
          entry(
              "Lane LaneHost LanePool",
              "a lane passes itself to its pool and its shard in the same way"));

  private final Map<String, Set<String>> dependencies = new TreeMap<>();
  private final Map<String, Integer> indices = new HashMap<>();
  private final Map<String, Integer> lowLinks = new HashMap<>();
  private final Deque<String> path = new ArrayDeque<>();
  private final Set<Set<String>> components = new LinkedHashSet<>();

  @Test
  void cycles_ofTopLevelClasses_areKnown() {
    for (JavaClass each :
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ENGINE)) {
      for (Dependency dependency : each.getDirectDependenciesFromSelf()) {
        add(topLevel(each), topLevel(dependency.getTargetClass().getBaseComponentType()));
      }
    }
    assertThat(dependencies).as("the engine's classes were found").hasSizeGreaterThan(50);
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

  /** Tarjan's algorithm (1972): a component is what the path holds from its root upwards. */
  private void visit(String each) {
    if (indices.containsKey(each)) {
      return;
    }
    int index = indices.size();
    indices.put(each, index);
    lowLinks.put(each, index);
    path.push(each);
    for (String next : dependencies.getOrDefault(each, Set.of())) {
      if (!indices.containsKey(next)) {
        visit(next);
        lowLinks.merge(each, lowLinks.get(next), Math::min);
      } else if (path.contains(next)) {
        lowLinks.merge(each, indices.get(next), Math::min);
      }
    }
    if (lowLinks.get(each) == index) {
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
