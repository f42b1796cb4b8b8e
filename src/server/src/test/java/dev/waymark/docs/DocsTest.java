package dev.waymark.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.net.listener.RefusalReason;
import dev.waymark.protocol.CloseReason;
import dev.waymark.telemetry.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Checks that the tables of docs/ list exactly what the code has, and that links work. */
class DocsTest {
  private static final Path DOCS = Path.of("docs");
  private static final Pattern METRIC_IN_CODE =
      Pattern.compile("\"((?:waymark|process)_[a-z0-9_]+)\"");
  private static final Pattern METRIC_IN_TABLE =
      Pattern.compile("(?m)^\\| `((?:waymark|process)_[a-z0-9_]+)` \\|");
  private static final Pattern EVENT_IN_TABLE =
      Pattern.compile("(?m)^\\| `([a-z-]+)` \\| (ERROR|WARN|INFO|DEBUG) \\|");
  private static final Pattern REASON_IN_TABLE =
      Pattern.compile("(?m)^\\| (\\d+) \\| ([A-Z_]+) \\|");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)(?:#[^)]*)?\\)");

  @Test
  void metrics_inCode_matchThePage() throws IOException {
    assertThat(found(METRIC_IN_TABLE, Files.readString(DOCS.resolve("metrics.md"))))
        .isEqualTo(metricsInCode());
  }

  @Test
  void events_inCode_matchThePage() throws IOException {
    Set<String> inCode =
        Arrays.stream(Event.values())
            .map(e -> e.label() + " " + e.level())
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> onPage = new TreeSet<>();
    Matcher rows = EVENT_IN_TABLE.matcher(Files.readString(DOCS.resolve("operations.md")));
    while (rows.find()) {
      onPage.add(rows.group(1) + " " + rows.group(2));
    }
    assertThat(onPage).isEqualTo(inCode);
  }

  @Test
  void closeReasons_inCode_matchThePage() throws IOException {
    List<String> inCode =
        Arrays.stream(CloseReason.values()).map(r -> r.wireCode() + " " + r.name()).toList();
    Matcher rows = REASON_IN_TABLE.matcher(Files.readString(DOCS.resolve("protocol.md")));
    assertThat(rows.results().map(row -> row.group(1) + " " + row.group(2)).toList())
        .isEqualTo(inCode);
  }

  @Test
  void refusalReasons_inCode_areOnThePage() throws IOException {
    String page = Files.readString(DOCS.resolve("operations.md"));
    assertThat(RefusalReason.values())
        .allSatisfy(reason -> assertThat(page).contains("`" + reason.label() + "`"));
  }

  @Test
  void links_onEveryPage_pointToFiles() throws IOException {
    for (Path page : pages()) {
      Path folder = Objects.requireNonNull(page.toAbsolutePath().getParent());
      for (String link : found(LINK, Files.readString(page))) {
        assertThat(folder.resolve(link)).as("%s links to %s", page, link).exists();
      }
    }
  }

  private static Set<String> metricsInCode() throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.walk(Path.of("src/server/src/main/java"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        names.addAll(found(METRIC_IN_CODE, Files.readString(file)));
      }
    }
    return names;
  }

  private static List<Path> pages() throws IOException {
    try (Stream<Path> docs = Files.walk(DOCS);
        Stream<Path> top = Files.list(Path.of("."))) {
      return Stream.concat(docs, top).filter(f -> f.toString().endsWith(".md")).toList();
    }
  }

  private static Set<String> found(Pattern pattern, String text) {
    return pattern
        .matcher(text)
        .results()
        .map(hit -> hit.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
