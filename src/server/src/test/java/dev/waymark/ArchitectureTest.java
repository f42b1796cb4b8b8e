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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Enforces the layers of docs/architecture.md, and forbids some calls everywhere. */
class ArchitectureTest {
  private static final String ROOT = "dev.waymark.";

  /**
   * The packages of ours that each package may use. A package without an entry is covered by the
   * nearest entry above it; without that, it may use none.
   */
  private static final Map<String, Set<String>> ALLOWED =
      Map.ofEntries(
          // waymark-protocol
          entry("protocol", Set.of()),
          entry("protocol.codec", Set.of("protocol", "v1")),
          entry("protocol.http2", Set.of()),
          // waymark-upstream
          entry("upstream", Set.of("protocol", "protocol.codec", "protocol.http2")),
          entry("upstream.registry", Set.of("v1")),
          // waymark
          entry("engine", Set.of()),
          entry("engine.base", Set.of("protocol")),
          entry("engine.stream", Set.of("engine.base", "protocol")),
          entry("engine.connection", Set.of("engine.stream", "engine.base", "protocol")),
          entry(
              "engine.lane",
              Set.of("engine.connection", "engine.stream", "engine.base", "protocol")),
          entry(
              "engine.pool", Set.of("engine.lane", "engine.connection", "engine.base", "protocol")),
          entry(
              "engine.shard",
              Set.of(
                  "engine.pool",
                  "engine.lane",
                  "engine.connection",
                  "engine.stream",
                  "engine.base",
                  "protocol")),
          entry("config", Set.of("net.admission", "engine.connection", "engine.base", "protocol")),
          entry("net", Set.of("config", "net.listener")),
          entry("net.admission", Set.of()),
          entry("net.dial", Set.of("net.tls", "protocol.http2")),
          entry("files", Set.of()),
          entry("net.tls", Set.of("config", "files")),
          entry(
              "net.listener",
              Set.of(
                  "net.admission",
                  "net.tls",
                  "config",
                  "engine.connection",
                  "engine.stream",
                  "protocol")),
          entry(
              "net.lane",
              Set.of(
                  "net.dial",
                  "net.tls",
                  "engine.lane",
                  "engine.base",
                  "protocol",
                  "protocol.codec")),
          entry("upstreams.control", Set.of("engine.base")),
          entry(
              "upstreams.names", Set.of("upstreams.control", "net.dial", "config", "engine.base")),
          entry(
              "registry.client",
              Set.of("upstreams.names", "upstreams.control", "net.dial", "net.tls", "config")),
          entry("registry", Set.of()),
          entry("registry.table", Set.of("registry")),
          entry("registry.wire", Set.of("registry", "config", "v1")),
          entry(
              "etcd",
              Set.of(
                  "registry.client",
                  "registry",
                  "upstreams.control",
                  "net.dial",
                  "config",
                  "engine.base")),
          entry("xds", Set.of("xds.proto", "net.dial", "config")),
          entry("xds.proto", Set.of()),
          entry("xds.data", Set.of()),
          entry("xds.service", Set.of("xds.data")),
          entry(
              "upstreams.discovery",
              Set.of(
                  "etcd",
                  "xds",
                  "xds.proto",
                  "registry",
                  "registry.client",
                  "registry.wire",
                  "v1",
                  "upstreams.names",
                  "upstreams.control",
                  "net.dial",
                  "net.tls",
                  "config",
                  "files",
                  "engine.base")),
          entry(
              "upstreams",
              Set.of(
                  "upstreams.control",
                  "upstreams.discovery",
                  "upstreams.names",
                  "net.dial",
                  "net.tls",
                  "config",
                  "engine.pool",
                  "engine.lane",
                  "engine.base",
                  "protocol")),
          entry("telemetry", Set.of("config", "protocol")),
          entry("api.http", Set.of("telemetry", "net.tls", "engine.base", "protocol")),
          entry("api", Set.of("api.http", "telemetry", "config", "net.admission", "net.tls")),
          entry(
              "bridge",
              Set.of(
                  "api",
                  "api.http",
                  "telemetry",
                  "upstreams",
                  "upstreams.control",
                  "upstreams.discovery",
                  "net",
                  "net.admission",
                  "net.dial",
                  "net.lane",
                  "net.listener",
                  "net.tls",
                  "config",
                  "engine.shard",
                  "engine.pool",
                  "engine.lane",
                  "engine.connection",
                  "engine.stream",
                  "engine.base",
                  "protocol")),
          entry(
              "tools.agent",
              Set.of(
                  "upstream.registry",
                  "protocol",
                  "etcd",
                  "xds.data",
                  "xds.service",
                  "api.http",
                  "telemetry",
                  "registry",
                  "registry.client",
                  "upstreams.names",
                  "upstreams.control",
                  "net.dial",
                  "config",
                  "engine.base")),
          entry("tools.bench", Set.of()),
          entry("tools.ctl", Set.of("net.tls", "config")),
          entry("tools.demo", Set.of()),
          entry(
              "tools.egress",
              Set.of(
                  "upstream",
                  "protocol",
                  "api.http",
                  "telemetry",
                  "net",
                  "net.dial",
                  "net.listener",
                  "net.tls",
                  "config")),
          entry("tools.directory.xds", Set.of("registry", "xds.proto")),
          entry(
              "tools.directory",
              Set.of(
                  "etcd",
                  "net.dial",
                  "registry.client",
                  "tools.directory.xds",
                  "upstreams.control",
                  "upstreams.names",
                  "registry",
                  "registry.table",
                  "registry.wire",
                  "v1",
                  "upstream",
                  "api.http",
                  "telemetry",
                  "net",
                  "net.listener",
                  "net.tls",
                  "config",
                  "engine.base")),
          entry(
              "tools.directory.dns", Set.of("registry", "telemetry", "net.admission", "protocol")),
          entry("tools.stub", Set.of("upstream", "protocol", "api.http", "telemetry", "config")),
          entry(
              "cli",
              Set.of(
                  "bridge",
                  "etcd",
                  "api",
                  "api.http",
                  "telemetry",
                  "net",
                  "net.admission",
                  "net.listener",
                  "net.tls",
                  "config",
                  "protocol",
                  "registry.table",
                  "tools.agent",
                  "tools.bench",
                  "tools.ctl",
                  "tools.demo",
                  "tools.directory",
                  "tools.directory.dns",
                  "tools.egress",
                  "tools.stub")));

  private static final Pattern MAIN_SOURCE =
      Pattern.compile("src/(protocol|upstream|server)/src/main/java/dev/waymark/.*\\.java");

  private static final Pattern PACKAGE = Pattern.compile("(?m)^package ([\\w.]+);");

  /** Group 1: the package of the imported class. */
  private static final Pattern IMPORT =
      Pattern.compile("(?m)^import (?:static )?(dev\\.waymark(?:\\.[a-z]\\w*)*)\\.[A-Z]");

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          // Test code as well, although it comes as a jar.
          .withImportOption(location -> !location.contains("dev/waymark/testing"))
          .importPackages("dev.waymark");

  @Test
  void imports_betweenPackages_pointDownOnly() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass each : CLASSES) {
      String from = entryOf(each);
      if (from.equals("v1")) {
        continue;
      }
      for (Dependency dependency : each.getDirectDependenciesFromSelf()) {
        String to = entryOf(dependency.getTargetClass());
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

  /** Reads sources, because the compiler inlines constants and class files lose their origin. */
  @Test
  void imports_inSources_pointDownOnly() throws IOException {
    Set<String> wrong = new TreeSet<>();
    try (Stream<Path> files = Files.walk(Path.of("src"))) {
      for (Path file : files.filter(f -> MAIN_SOURCE.matcher(f.toString()).matches()).toList()) {
        String source = Files.readString(file);
        String from = entryOf(only(PACKAGE, source));
        for (MatchResult found : IMPORT.matcher(source).results().toList()) {
          String to = entryOf(found.group(1));
          boolean isAllowed = to.equals(from) || ALLOWED.getOrDefault(from, Set.of()).contains(to);
          if (!to.isEmpty() && !isAllowed) {
            wrong.add(file + " imports " + found.group(1));
          }
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  private static String only(Pattern pattern, String source) {
    return pattern.matcher(source).results().findFirst().orElseThrow().group(1);
  }

  @Test
  void engine_usesOnlyTheJdkBuffersAndProtocolTypes() {
    check(
        noClasses()
            .that()
            .resideInAPackage("dev.waymark.engine..")
            .should()
            .dependOnClassesThat(
                resideOutsideOfPackages(
                        "java..",
                        "org.jspecify..",
                        "io.netty.buffer..",
                        "dev.waymark.protocol",
                        "dev.waymark.engine..")
                    .and(not(name("io.netty.util.ReferenceCounted")))));
  }

  @Test
  void healthService_isUsedByPoolsAndUpstreamsOnly() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackages(
                "dev.waymark.upstreams..",
                "dev.waymark.upstream..",
                "dev.waymark.tools.agent..",
                "dev.waymark.tools.stub..")
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
            .doNotHaveFullyQualifiedName("dev.waymark.bridge.Clock")
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
  void random_isInjectedNotCreated() {
    check(
        noClasses()
            .should()
            .callConstructor(Random.class)
            .orShould()
            .callConstructor(Random.class, long.class));
  }

  @Test
  void text_neverDependsOnTheDefaultLocale() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass each : CLASSES) {
      if (entryOf(each).equals("v1")) {
        continue;
      }
      for (JavaCodeUnitAccess<?> access : each.getCodeUnitAccessesFromSelf()) {
        if (usesDefaultLocale(access.getTarget())) {
          wrong.add(access.getDescription());
        }
      }
    }
    assertThat(wrong)
        .as("pass Locale.ROOT: the default locale may change digits and letters")
        .isEmpty();
  }

  /** True for calls that format or change case by the default locale. */
  private static boolean usesDefaultLocale(CodeUnitAccessTarget target) {
    String owner = target.getOwner().getName();
    String name = target.getName();
    List<String> parameters =
        target.getRawParameterTypes().stream().map(JavaClass::getName).toList();
    boolean hasLocale = parameters.contains("java.util.Locale");
    return switch (owner) {
      case "java.lang.String" ->
          !hasLocale && Set.of("format", "formatted", "toLowerCase", "toUpperCase").contains(name);
      case "java.io.PrintStream", "java.io.PrintWriter", "java.io.Console" ->
          !hasLocale && Set.of("format", "printf").contains(name);
      case "java.util.Formatter" -> !hasLocale && name.equals("<init>");
      case "java.time.format.DateTimeFormatter" ->
          !hasLocale && (name.equals("ofPattern") || name.startsWith("ofLocalized"));
      case "java.time.format.DateTimeFormatterBuilder" -> !hasLocale && name.equals("toFormatter");
      case "java.util.Locale" -> name.equals("getDefault");
      case "java.util.Scanner" -> true;
      default -> owner.startsWith("java.text.");
    };
  }

  @Test
  void loggers_areCreatedByTelemetryAndTheSdkOnly() {
    Set<String> creators = new TreeSet<>();
    for (JavaClass each : CLASSES) {
      boolean isCreator =
          each.getDirectDependenciesFromSelf().stream()
              .anyMatch(d -> d.getTargetClass().getName().equals("org.slf4j.LoggerFactory"));
      // The SDK runs in other programs too, where there is no EventLog.
      if (isCreator
          && !Set.of("upstream", "upstream.registry", "tools.stub").contains(entryOf(each))) {
        creators.add(each.getSimpleName());
      }
    }
    assertThat(creators).isSubsetOf("EventLog", "JulHandler", "Logging");
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(CLASSES);
  }

  /** The {@link #ALLOWED} entry that covers a class, else its package; empty if it is not ours. */
  private static String entryOf(JavaClass each) {
    return entryOf(each.getPackageName());
  }

  private static String entryOf(String name) {
    if (!name.startsWith(ROOT)) {
      return "";
    }
    String whole = name.substring(ROOT.length());
    String covering = whole;
    while (!ALLOWED.containsKey(covering) && covering.contains(".")) {
      covering = covering.substring(0, covering.lastIndexOf('.'));
    }
    return ALLOWED.containsKey(covering) ? covering : whole;
  }
}
