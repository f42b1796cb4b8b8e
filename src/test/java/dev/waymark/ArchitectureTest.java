package dev.waymark;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitAccessTarget;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnitAccess;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The levels of docs/architecture.md, and what no class may call. */
class ArchitectureTest {
  private static final String ROOT = "dev.waymark.";

  /** Which packages of our own each may see. */
  private static final Map<String, Set<String>> ALLOWED =
      Map.ofEntries(
          entry("core", Set.of()),
          entry("wire", Set.of("core", "v1")),
          entry("config", Set.of("core")),
          entry("http2", Set.of()),
          entry("dial", Set.of("http2")),
          entry("listener", Set.of("core", "wire", "config")),
          entry("lane", Set.of("core", "wire", "config", "dial")),
          entry("pool", Set.of("core", "wire", "config", "dial", "v1")),
          entry("upstream", Set.of("core", "http2", "wire", "config")),
          entry("admin", Set.of("core", "wire", "config", "listener", "lane", "pool", "upstream")),
          entry(
              "control",
              Set.of("core", "wire", "config", "listener", "lane", "pool", "upstream", "v1")),
          entry(
              "cli",
              Set.of(
                  "core",
                  "wire",
                  "config",
                  "dial",
                  "listener",
                  "lane",
                  "pool",
                  "upstream",
                  "admin",
                  "control")));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.waymark");

  @Test
  void imports_betweenPackages_pointDownOnly() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass each : CLASSES) {
      String from = part(each);
      if (from.equals("v1")) {
        continue;
      }
      for (Dependency dependency : each.getDirectDependenciesFromSelf()) {
        String to = part(dependency.getTargetClass());
        if (!to.isEmpty()
            && !to.equals(from)
            && !ALLOWED.getOrDefault(from, Set.of()).contains(to)) {
          wrong.add(
              each.getName()
                  + " -> "
                  + dependency.getTargetClass().getName()
                  + ", allowed for "
                  + from
                  + ": "
                  + ALLOWED.get(from));
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void core_seesNothingButTheJdkAndBuffers() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.waymark.core..")
            .should()
            .dependOnClassesThat(
                resideOutsideOfPackages(
                        "java..", "org.jspecify..", "io.netty.buffer..", "dev.waymark.core..")
                    .and(not(name("io.netty.util.ReferenceCounted")))));
  }

  @Test
  void healthService_isSeenByPoolsAndUpstreamsOnly() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackages(
                "dev.waymark.pool..",
                "dev.waymark.wire..",
                "dev.waymark.control..",
                "dev.waymark.upstream..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.grpc.health.v1.."));
  }

  @Test
  void packages_haveNoCycles() {
    check(slices().matching("dev.waymark.(**)").should().beFreeOfCycles());
  }

  @Test
  void clock_isReadInOnePlace() {
    ArchRule rule =
        noClasses()
            .that()
            .doNotHaveFullyQualifiedName("dev.waymark.cli.Clock")
            .should()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis");
    check(rule);
  }

  @Test
  void threads_neverSleep() {
    check(
        noClasses()
            .should()
            .callMethod(Thread.class, "sleep", long.class)
            .orShould()
            .callMethod(Thread.class, "sleep", java.time.Duration.class));
  }

  @Test
  void random_isGivenNotMade() {
    check(
        noClasses()
            .should()
            .callConstructor(Random.class)
            .orShould()
            .callConstructor(Random.class, long.class));
  }

  @Test
  void text_neverDependsOnTheHostsLanguage() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass each : CLASSES) {
      if (part(each).equals("v1")) {
        continue;
      }
      for (JavaCodeUnitAccess<?> access : each.getCodeUnitAccessesFromSelf()) {
        if (isByTheHostsLanguage(access.getTarget())) {
          wrong.add(access.getDescription());
        }
      }
    }
    assertThat(wrong).as("give Locale.ROOT: digits and letters of other languages").isEmpty();
  }

  /** Formats, or changes case, by the default locale because it was given none. */
  private static boolean isByTheHostsLanguage(CodeUnitAccessTarget target) {
    String owner = target.getOwner().getName();
    String name = target.getName();
    List<String> parameters =
        target.getRawParameterTypes().stream().map(JavaClass::getName).toList();
    boolean isGivenOne = parameters.contains("java.util.Locale");
    return switch (owner) {
      case "java.lang.String" ->
          !isGivenOne && Set.of("format", "formatted", "toLowerCase", "toUpperCase").contains(name);
      case "java.io.PrintStream", "java.io.PrintWriter", "java.io.Console" ->
          !isGivenOne && Set.of("format", "printf").contains(name);
      case "java.util.Formatter" -> !isGivenOne && name.equals("<init>");
      case "java.time.format.DateTimeFormatter" ->
          !isGivenOne && (name.equals("ofPattern") || name.startsWith("ofLocalized"));
      case "java.time.format.DateTimeFormatterBuilder" -> !isGivenOne && name.equals("toFormatter");
      case "java.util.Locale" -> name.equals("getDefault");
      case "java.util.Scanner" -> true;
      default -> owner.startsWith("java.text.");
    };
  }

  @Test
  void loggers_areMadeByAdminAndTheKitOnly() {
    Set<String> makers = new TreeSet<>();
    for (JavaClass each : CLASSES) {
      boolean isMaker =
          each.getDirectDependenciesFromSelf().stream()
              .anyMatch(d -> d.getTargetClass().getName().equals("org.slf4j.LoggerFactory"));
      // The kit runs in processes of others too, where there is no EventLog.
      if (isMaker && !part(each).equals("upstream")) {
        makers.add(each.getSimpleName());
      }
    }
    assertThat(makers).isSubsetOf("EventLog", "JulHandler", "Logging");
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(CLASSES);
  }

  /** The part of the project that a class belongs to; empty: none. */
  private static String part(JavaClass each) {
    String name = each.getPackageName();
    if (!name.startsWith(ROOT)) {
      return "";
    }
    String rest = name.substring(ROOT.length());
    return rest.contains(".") ? rest.substring(0, rest.indexOf('.')) : rest;
  }
}
