package dev.waymark.config;

import dev.waymark.config.AddressBook.Resolver;
import dev.waymark.config.LoadedConfig.EmbeddedEcho;
import dev.waymark.config.Overrides.Counts;
import dev.waymark.config.Values.Elements;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads flags, environment and file, in that order of precedence, over the defaults. Stateless. */
public final class ConfigLoader {
  private ConfigLoader() {}

  /**
   * Reads and checks the configuration; resolves the names of addresses to listen on, which may
   * block.
   *
   * @param flags text by flag, {@code --admin}
   * @param environment all of it; what does not start with WAYMARK_ is ignored
   * @throws ConfigException with a line for each thing that is wrong
   */
  public static LoadedConfig load(
      Optional<Path> file, Map<String, String> flags, Map<String, String> environment) {
    Problems problems = new Problems();
    Values values =
        file.map(path ->
                FileWalk.read(Schema.BRIDGE, path.toString(), YamlFile.bytes(path), problems))
            .orElseGet(Values::new);
    return load(Schema.BRIDGE, values, flags, environment, InetAddress::getByName, problems);
  }

  /** Every flag that sets a key, with its help text. */
  public static Map<String, String> flags() {
    Map<String, String> flags = new LinkedHashMap<>();
    for (Key<?, ?> key : Schema.BRIDGE.keys()) {
      key.flag().ifPresent(flag -> flags.put(flag, help(key)));
    }
    return flags;
  }

  /**
   * The path of the key without a flag that a flag seems to mean: {@code listeners[].tls.client-ca}
   * for {@code --tls-client-ca} or {@code --client-ca}.
   */
  public static Optional<String> keyLike(String flag) {
    String name = flag.replaceFirst("^-+", "");
    return Schema.BRIDGE.keys().stream()
        .filter(key -> key.flag().isEmpty())
        .map(Key::path)
        .filter(path -> ("." + path).replace('.', '-').endsWith("-" + name))
        .findFirst();
  }

  private static String help(Key<?, ?> key) {
    return key.meaning()
        + " Value: "
        + key.type().expected()
        + key.defaultText().map(text -> ". Default: " + text).orElse("");
  }

  /** Loads a file that has been read already, with a given resolver. */
  static LoadedConfig load(
      Schema schema,
      Values values,
      Map<String, String> flags,
      Map<String, String> environment,
      Resolver resolver,
      Problems problems) {
    boolean hasListeners = checkFilled(values, "listeners", problems);
    boolean hasPools = checkFilled(values, "pools", problems);
    if (!hasListeners || !hasPools) {
      problems.raise();
    }
    Overrides overrides = new Overrides(schema, flags, environment, problems);
    boolean isEmbedded = values.list("pools").isEmpty() && !overrides.has(PoolKeys.TARGET);
    Counts counts = overrides.layOver(values);
    Settings settings = new Settings(schema, values, problems);
    AddressBook addresses = new AddressBook(resolver, settings);
    BridgeConfig config = bridge(settings, counts, addresses);
    Optional<Setting<HostPort>> echo =
        isEmbedded ? Optional.of(settings.get(ProcessKeys.ECHO)) : Optional.empty();
    if (!isEmbedded) {
      settings.check(ProcessKeys.ECHO);
    }
    Optional<EmbeddedEcho> embedded = echo.map(setting -> echo(setting, addresses));
    problems.raise();
    LoadedConfig loaded =
        new LoadedConfig(
            config,
            EntryOrder.of(schema).sorted(settings.entries()),
            embedded,
            overrides.warnings());
    return embedded.map(one -> loaded.withEchoOn(one.address())).orElse(loaded);
  }

  /** The default port being taken is not a mistake: the bridge then uses any free port. */
  private static EmbeddedEcho echo(Setting<HostPort> setting, AddressBook addresses) {
    InetSocketAddress address =
        setting.isDefault()
            ? new InetSocketAddress(setting.value().host(), setting.value().port())
            : addresses.add(setting);
    return new EmbeddedEcho(address, setting.isDefault());
  }

  private static boolean checkFilled(Values values, String list, Problems problems) {
    Optional<Elements> empty = values.list(list).filter(elements -> elements.count() == 0);
    empty.ifPresent(elements ->
        problems.add(elements.origin(), list + ": an empty list (expected: at least one)"));
    return empty.isEmpty();
  }

  private static BridgeConfig bridge(Settings settings, Counts counts, AddressBook addresses) {
    KeyValues<BridgeConfig> values =
        settings
            .readAll(Scope.BRIDGE)
            .with(ProcessKeys.NODE, settings.get(ProcessKeys.NODE, HostName.read()).value());
    List<PoolConfig> pools = new PoolReader(settings).read(counts.pools());
    List<String> poolNames = pools.stream().map(PoolConfig::name).toList();
    List<ListenerConfig> listeners =
        new ListenerReader(settings, addresses, poolNames, settings.get(LaneKeys.WINDOW))
            .read(counts.listeners());
    return new BridgeConfig(
        listeners, pools, new AdminReader(settings, values).read(addresses), values);
  }
}
