package dev.waymark.config;

import dev.waymark.config.AddressBook.Resolver;
import dev.waymark.config.LoadedConfig.EmbeddedEcho;
import dev.waymark.config.LoadedConfig.Entry;
import dev.waymark.config.Overrides.Counts;
import dev.waymark.config.Values.Elements;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads flags, environment and file, in that order of precedence, over the defaults. Stateless. */
public final class ConfigLoader {
  private static final Path KERNEL_HOST_NAME = Path.of("/proc/sys/kernel/hostname");

  private ConfigLoader() {}

  /**
   * Reads and checks; resolves names of addresses to listen on, which may block.
   *
   * @param flags flag to text, `--admin`
   * @param environment all of it; what does not start with WAYMARK_ is ignored
   * @throws ConfigException with a line for each thing that is wrong
   */
  public static LoadedConfig load(
      Optional<Path> file, Map<String, String> flags, Map<String, String> environment) {
    Problems problems = new Problems();
    Values values =
        file.map(path -> FileWalk.read(path.toString(), YamlFile.bytes(path), problems))
            .orElseGet(Values::new);
    return load(values, flags, environment, InetAddress::getByName, problems);
  }

  /** Every flag that stands for a key, with its meaning, for the command line's help. */
  public static Map<String, String> flags() {
    Map<String, String> flags = new LinkedHashMap<>();
    for (Key<?> key : Schema.KEYS) {
      key.flag()
          .ifPresent(flag ->
              flags.put(
                  flag,
                  key.meaning()
                      + " Value: "
                      + key.type().expected()
                      + key.defaultText().map(text -> ". Default: " + text).orElse("")));
    }
    return flags;
  }

  /** The same with a file that was read already and names resolved by the caller. */
  static LoadedConfig load(
      Values values,
      Map<String, String> flags,
      Map<String, String> environment,
      Resolver resolver,
      Problems problems) {
    boolean isFilled =
        checkFilled(values, "listeners", problems) & checkFilled(values, "pools", problems);
    if (!isFilled) {
      problems.raise();
    }
    Overrides overrides = new Overrides(flags, environment, problems);
    boolean isEmbedded = values.list("pools").isEmpty() && !overrides.has(PoolKeys.TARGET);
    Counts counts = overrides.layOver(values);
    Settings settings = new Settings(values, problems);
    AddressBook addresses = new AddressBook(resolver, settings);
    BridgeConfig config = bridge(settings, counts, addresses, problems);
    Optional<Setting<HostPort>> echo =
        isEmbedded ? Optional.of(settings.get(ProcessKeys.ECHO)) : Optional.empty();
    if (!isEmbedded) {
      settings.check(ProcessKeys.ECHO);
    }
    Optional<EmbeddedEcho> embedded = echo.map(setting -> echo(setting, addresses));
    problems.raise();
    LoadedConfig loaded =
        new LoadedConfig(
            config, inOrder(settings.entries()), embedded, Overrides.warnings(environment));
    return embedded.map(one -> loaded.withEchoOn(one.address())).orElse(loaded);
  }

  /** A default that another has is no mistake: the bridge then takes any free port. */
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

  private static BridgeConfig bridge(
      Settings settings, Counts counts, AddressBook addresses, Problems problems) {
    Setting<Integer> window = settings.get(ProcessKeys.WINDOW);
    List<PoolConfig> pools = new PoolReader(settings).read(counts.pools());
    List<String> poolNames = pools.stream().map(PoolConfig::name).toList();
    List<ListenerConfig> listeners =
        new ListenerReader(settings, addresses, poolNames, window).read(counts.listeners());
    AdminConfig admin = admin(settings, addresses);
    Setting<Long> memoryBudget = settings.get(ProcessKeys.MEMORY_BUDGET);
    Duration linger = settings.value(ProcessKeys.LINGER_TIMEOUT);
    return new BridgeConfig(
        listeners,
        pools,
        admin,
        log(settings),
        settings.value(ProcessKeys.TRANSPORT),
        settings.value(ProcessKeys.SHARDS),
        settings.get(ProcessKeys.NODE, hostName()).value(),
        settings.value(ProcessKeys.DRAIN_TIMEOUT),
        settings.value(ProcessKeys.START_TIMEOUT),
        new LimitsReader(settings, problems).read(window, memoryBudget, linger));
  }

  private static AdminConfig admin(Settings settings, AddressBook addresses) {
    Setting<HostPort> address = settings.get(ProcessKeys.ADMIN_ADDRESS);
    List<String> hosts = new ArrayList<>();
    hosts.add(address.value().host());
    settings.find(ProcessKeys.ADMIN_HOSTS).map(Setting::value).ifPresent(hosts::addAll);
    return new AdminConfig(addresses.add(address), hosts);
  }

  private static LogConfig log(Settings settings) {
    return new LogConfig(
        settings.value(ProcessKeys.LOG_FORMAT),
        settings.value(ProcessKeys.LOG_LEVEL),
        settings.value(ProcessKeys.LOG_ACCESS));
  }

  /** Values are read as they depend on one another; they are shown as the reference lists them. */
  private static List<Entry> inOrder(List<Entry> entries) {
    List<String> paths = Schema.KEYS.stream().map(Key::path).toList();
    List<Entry> sorted = new ArrayList<>(entries);
    sorted.sort(Comparator.comparing(entry -> rank(entry, paths)));
    return sorted;
  }

  private static int rank(Entry entry, List<String> paths) {
    // Within a list the order of reading is the order of the elements and of their keys.
    int dot = entry.key().indexOf('[');
    String start = dot < 0 ? entry.key() : entry.key().substring(0, dot) + "[]";
    for (int i = 0; i < paths.size(); i++) {
      if (dot < 0 ? paths.get(i).equals(start) : paths.get(i).startsWith(start)) {
        return i;
      }
    }
    return paths.size();
  }

  private static String hostName() {
    try {
      // Asking the kernel needs no name server.
      String name =
          Files.isReadable(KERNEL_HOST_NAME)
              ? Files.readString(KERNEL_HOST_NAME).strip()
              : InetAddress.getLocalHost().getHostName();
      return name.isEmpty() ? "localhost" : name;
    } catch (IOException unknown) {
      return "localhost";
    }
  }
}
