package dev.waymark.config;

import dev.waymark.config.Values.Elements;
import dev.waymark.config.Values.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The values of flags and environment, which override those of the file; a flag overrides its
 * variable. Confined to one load.
 */
final class Overrides {
  private static final String PREFIX = "WAYMARK_";

  /** Variables of the launcher, the scripts and the command line, which are not keys. */
  private static final Set<String> OTHER_NAMES =
      Set.of(
          "WAYMARK_IMAGE",
          "WAYMARK_JAVA_HOME",
          "WAYMARK_JAVA_OPTS",
          "WAYMARK_DEBUG",
          "WAYMARK_CONFIG");

  /**
   * Variables that Kubernetes sets in every pod for each service of its namespace, here for
   * services whose names start with waymark.
   */
  private static final Pattern OF_A_SERVICE =
      Pattern.compile(
          "WAYMARK(_[A-Z0-9]+)*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)");

  /** Only the value tells such a variable from one that is meant for Waymark. */
  private static final Pattern PORT_OF_A_SERVICE = Pattern.compile("WAYMARK(_[A-Z0-9]+)*_PORT");

  private static final Pattern URL = Pattern.compile("(tcp|udp|sctp)://.*");

  private final Map<Key<?, ?>, Value> byKey = new LinkedHashMap<>();
  private final Problems problems;
  private final List<String> warnings;

  Overrides(
      Schema schema,
      Map<String, String> flags,
      Map<String, String> environment,
      Problems problems) {
    this.problems = problems;
    for (Key<?, ?> key : schema.keys()) {
      key.flag()
          .flatMap(
              flag -> overrideOf(flag, key.environmentName().orElseThrow(), flags, environment))
          .ifPresent(value -> byKey.put(key, value));
    }
    this.warnings = checkNames(schema, environment);
  }

  private static Optional<Value> overrideOf(
      String flag, String name, Map<String, String> flags, Map<String, String> environment) {
    String given = flags.get(flag);
    if (given != null) {
      return Optional.of(new Value(given, new Origin.Flag(flag)));
    }
    // Compose files and shells pass an unset variable on as an empty one.
    return Optional.ofNullable(environment.get(name))
        .filter(text -> !text.isEmpty())
        .map(text -> new Value(text, new Origin.Environment(name)));
  }

  private static boolean isOfAService(String name, String value) {
    return OF_A_SERVICE.matcher(name).matches()
        || (PORT_OF_A_SERVICE.matcher(name).matches() && URL.matcher(value).matches());
  }

  /**
   * Checks the names of variables that start with WAYMARK_ and are not set by Kubernetes. One that
   * resembles a known variable is a mistake, like a misspelt flag or key. Others may be meant for
   * somebody else.
   *
   * @return a warning for each of the others
   */
  private List<String> checkNames(Schema schema, Map<String, String> environment) {
    Set<String> known = new TreeSet<>(schema.environmentNames());
    known.addAll(OTHER_NAMES);
    Set<String> knownRests =
        known.stream().map(Overrides::rest).collect(Collectors.toCollection(TreeSet::new));
    List<String> unknown = new ArrayList<>();
    for (String name : new TreeSet<>(environment.keySet())) {
      if (name.startsWith(PREFIX)
          && !known.contains(name)
          && !isOfAService(name, environment.getOrDefault(name, ""))) {
        String what = "environment " + Setting.printable(name) + ": unknown variable";
        Nearest.to(rest(name), knownRests)
            .ifPresentOrElse(
                meant ->
                    problems.addLine(
                        new Origin.Environment(name),
                        what + "; did you mean " + PREFIX + meant + "?"),
                () -> unknown.add(what + ", ignored"));
      }
    }
    return List.copyOf(unknown);
  }

  private static String rest(String name) {
    return name.substring(PREFIX.length());
  }

  /** A line for each variable whose name is unknown and resembles no other. */
  List<String> warnings() {
    return warnings;
  }

  boolean has(Key<?, ?> key) {
    return byKey.containsKey(key);
  }

  /** Overlays the values; {@code --listen} may add listeners to those of the file. */
  Counts layOver(Values values) {
    int listeners = layListen(values, count(values, "listeners"));
    int pools = count(values, "pools");
    Value target = byKey.get(PoolKeys.TARGET);
    if (target != null && isOnly(values, target, "pools", PoolKeys.NAME, "upstreams")) {
      values.remove("pools[0].upstreams");
      values.remove("pools[0].subsets");
    }
    if (byKey.containsKey(TlsKeys.CERTIFICATE)) {
      for (int i = 0; i < listeners; i++) {
        values.remove("listeners[" + i + "].tls.certificates");
      }
    }
    byKey.forEach((key, given) -> {
      if (key.path().startsWith("listeners[].")) {
        layOnEach(values, key, given, listeners);
      } else {
        layOnEach(values, key, given, key.path().startsWith("pools[].") ? pools : 1);
      }
    });
    return new Counts(listeners, pools);
  }

  /** The final number of elements in the two lists. */
  record Counts(int listeners, int pools) {}

  private static int count(Values values, String list) {
    return values.list(list).map(Elements::count).orElse(1);
  }

  private void layOnEach(Values values, Key<?, ?> key, Value given, int count) {
    for (int i = 0; i < count; i++) {
      // The flags are about the first, and only, certificate.
      String path = key.at(i, 0);
      if (key == ListenerKeys.FRAMING) {
        values.remove(path + ".");
      }
      if (key != ListenerKeys.ADDRESS) {
        values.put(path, given.text(), given.origin());
      }
    }
  }

  /** Each address of {@code --listen} becomes a copy of the only listener. */
  private int layListen(Values values, int count) {
    Value given = byKey.get(ListenerKeys.ADDRESS);
    if (given == null || !isOnly(values, given, "listeners", ListenerKeys.NAME, "addresses")) {
      return count;
    }
    String[] addresses = given.text().split(",", -1);
    Map<String, Value> model = values.under("listeners[0].");
    Value name =
        values
            .value(ListenerKeys.NAME.at(0))
            .orElse(new Value(ListenerKeys.NAME.defaultText().orElseThrow(), given.origin()));
    for (int i = 0; i < addresses.length; i++) {
      String prefix = "listeners[" + i + "].";
      model.forEach((path, value) -> values.put(prefix + path, value.text(), value.origin()));
      if (i > 0) {
        values.put(prefix + "name", name.text() + "-" + (i + 1), name.origin());
      }
      values.put(prefix + "address", addresses[i].strip(), given.origin());
    }
    return addresses.length;
  }

  private boolean isOnly(Values values, Value given, String list, Key<?, ?> nameKey, String what) {
    int count = values.list(list).map(Elements::count).orElse(1);
    if (count > 1) {
      List<String> names = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        values.value(nameKey.at(i)).ifPresent(name -> names.add(Setting.printable(name.text())));
      }
      String file = values.list(list).map(found -> found.origin().name()).orElse("the file");
      String expected =
          "a file with at most one entry in "
              + list
              + "; "
              + file
              + " has "
              + count
              + " ("
              + String.join(", ", names)
              + "): set the "
              + what
              + " there";
      problems.addLine(
          given.origin(),
          given.origin().refusal(nameKey.path(), Setting.printable(given.text()), expected));
    }
    return count <= 1;
  }
}
