package dev.waymark.tools.ctl;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonObject;
import java.net.URLEncoder;
import java.util.List;
import java.util.function.BiConsumer;

/** A table of what a directory's admin port says at one path. Immutable. */
public final class DirectoryTable {
  /** The services. */
  public static final DirectoryTable SERVICES =
      new DirectoryTable(
          "/services",
          "services",
          List.of("SERVICE", "INSTANCES", "USABLE"),
          (row, table) ->
              table.add(
                  row.text("service"), "" + row.count("instances"), "" + row.count("usable")));

  /** Who has registered instances, and who has become unreachable. */
  public static final DirectoryTable NODES =
      new DirectoryTable(
          "/nodes",
          "nodes",
          List.of("NODE", "STATE", "INSTANCES", "TTL", "HEARTBEAT", "UNREACHABLE FOR"),
          DirectoryTable::addNode);

  /** Who watches. */
  public static final DirectoryTable WATCHERS =
      new DirectoryTable(
          "/watchers",
          "watchers",
          List.of("WATCHER", "PEER", "AS", "VERSION", "BEHIND", "FOR", "SERVICES"),
          DirectoryTable::addWatcher);

  private static final int NAMES_MAX = 5;

  private final String path;
  private final String list;
  private final List<String> titles;
  private final BiConsumer<Fields, Columns> row;

  private DirectoryTable(
      String path, String list, List<String> titles, BiConsumer<Fields, Columns> row) {
    this.path = path;
    this.list = list;
    this.titles = titles;
    this.row = row;
  }

  /** The instances of a service. */
  public static DirectoryTable instances(String service) {
    return new DirectoryTable(
        "/instances?service=" + URLEncoder.encode(service, UTF_8),
        "instances",
        List.of(
            "INSTANCE", "HEALTH", "DAMPED FOR", "WEIGHT", "PRIORITY", "LOAD", "NODES", "LABELS"),
        DirectoryTable::addInstance);
  }

  /** Where to ask. */
  public String path() {
    return path;
  }

  /** The table of an answer, with titles, or a line that says that it is empty. */
  public String text(JsonObject answer) {
    List<Fields> rows = new Fields(answer).list(list);
    Columns table = new Columns(titles.toArray(String[]::new));
    rows.forEach(each -> row.accept(each, table));
    return rows.isEmpty() ? "no " + list + "\n" : table.text();
  }

  private static void addInstance(Fields row, Columns table) {
    long dampedMs = row.count("dampedForMs");
    double load = row.decimal("utilisation");
    table.add(
        row.text("address"),
        row.text("health"),
        dampedMs > 0 ? Wording.time(dampedMs) : "-",
        "" + row.count("weight"),
        "" + row.count("priority"),
        load > 0 ? Wording.percent(load) : "-",
        String.join(",", row.texts("nodes")),
        Wording.labels(row.map("labels")));
  }

  private static void addNode(Fields row, Columns table) {
    long lostMs = row.count("lostForMs");
    table.add(
        row.text("node"),
        row.text("state"),
        "" + row.count("instances"),
        Wording.time(row.count("ttlMs")),
        Wording.time(row.count("silentMs")) + " ago",
        lostMs > 0 ? Wording.time(lostMs) : "-");
  }

  private static void addWatcher(Fields row, Columns table) {
    List<String> services = row.texts("services");
    String names = String.join(",", services.stream().limit(NAMES_MAX).toList());
    table.add(
        row.text("watcher"),
        row.text("peer"),
        row.text("as"),
        "" + row.count("version"),
        "" + row.count("behind"),
        Wording.time(row.count("forMs")),
        services.isEmpty()
            ? "(all)"
            : names
                + (services.size() > NAMES_MAX
                    ? " and " + (services.size() - NAMES_MAX) + " more"
                    : ""));
  }
}
