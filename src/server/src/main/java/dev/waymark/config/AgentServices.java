package dev.waymark.config;

import dev.waymark.config.Values.Elements;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads what an agent minds: from a file with a list of services, or from flags. Stateless. */
public final class AgentServices {
  private static final String LIST = "services";
  private static final Schema SCHEMA = Schema.of(AgentKeys.GROUP);
  private static final int SERVICES_MAX = 1_000;
  private static final Duration INTERVAL_MIN = Duration.ofMillis(100);

  private final Settings settings;
  private final LabelReader labels;

  private AgentServices(Settings settings) {
    this.settings = settings;
    this.labels = new LabelReader(settings);
  }

  /**
   * Returns the services of a file, at least one. Blocks.
   *
   * @throws ConfigException if it cannot be read or anything in it is wrong, with a line for each
   */
  public static List<AgentService> read(Path file) {
    Problems problems = new Problems();
    Values values =
        FileWalk.readList(SCHEMA, LIST, file.toString(), YamlFile.bytes(file), problems);
    problems.raise();
    Elements list = values.list(LIST).orElseThrow();
    if (list.count() == 0 || list.count() > SERVICES_MAX) {
      String found = list.count() == 0 ? "no service" : list.count() + " services";
      problems.add(list.origin(), found + " (expected: 1 to " + SERVICES_MAX + ")");
      problems.raise();
    }
    return all(values, list.count(), problems);
  }

  /**
   * Returns the service that flags describe.
   *
   * @param flags text by flag, such as {@code --weight}: the names of the keys, and {@code --label
   *     NAME} for labels; without service, address and check it is refused
   * @throws ConfigException if anything is wrong, with a line for each
   */
  public static AgentService ofFlags(Map<String, String> flags) {
    Values values = new Values();
    flags.forEach((flag, text) -> {
      String name = flag.substring(2).replaceFirst("^label ", "labels.");
      values.put(LIST + "[0]." + name, text, new Origin.Flag(flag));
    });
    return all(values, 1, new Problems()).getFirst();
  }

  private static List<AgentService> all(Values values, int count, Problems problems) {
    AgentServices reader = new AgentServices(new Settings(SCHEMA, values, problems));
    Map<String, AgentService> read = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      int index = i;
      reader
          .one(i)
          .ifPresent(service -> {
            String key = service.service() + " " + Targets.canonical(service.address());
            if (read.putIfAbsent(key, service) != null) {
              reader.refuseTwice(index);
            }
          });
    }
    problems.raise();
    return List.copyOf(read.values());
  }

  private void refuseTwice(int i) {
    settings
        .find(AgentKeys.ADDRESS, i)
        .ifPresent(address -> settings.refuse(address, "each instance of a service only once"));
  }

  /** Empty if something required is missing or wrong, which is noted. */
  private Optional<AgentService> one(int i) {
    KeyValues<AgentService> values = settings.readAll(Scope.AGENT_SERVICE, i);
    Setting<Duration> interval = settings.get(AgentKeys.CHECK_INTERVAL, i);
    if (interval.value().compareTo(INTERVAL_MIN) < 0) {
      settings.refuse(interval, "a duration from 100ms to 1h");
    }
    Optional<String> service = demand(AgentKeys.SERVICE, i);
    Optional<String> address = demand(AgentKeys.ADDRESS, i);
    Optional<ServiceCheck> check = demand(AgentKeys.CHECK, i);
    Map<String, String> given = labels(i);
    if (service.isEmpty() || address.isEmpty() || check.isEmpty()) {
      return Optional.empty();
    }
    checkPath(check.get(), address.get(), i);
    return Optional.of(
        new AgentService(
            service.get(),
            address.get(),
            values.get(AgentKeys.WEIGHT),
            values.get(AgentKeys.PRIORITY),
            given,
            check.get(),
            values.get(AgentKeys.CHECK_INTERVAL),
            values.get(AgentKeys.CHECK_TIMEOUT),
            values.get(AgentKeys.RISE),
            values.get(AgentKeys.FALL),
            values.get(AgentKeys.LOAD)));
  }

  private <T> Optional<T> demand(Key<AgentService, T> key, int i) {
    Values values = settings.values();
    Optional<Origin.File> element = values.list(LIST).map(list -> list.elements().get(i));
    if (element.isEmpty() && values.value(key.at(i)).isEmpty()) {
      throw new ConfigException(
          "--" + key.name() + ": missing (expected: " + key.type().expected() + ")");
    }
    return (element.isPresent() ? settings.demand(key, element.get(), i) : settings.find(key, i))
        .map(Setting::value);
  }

  /** A path needs a host to ask. */
  private void checkPath(ServiceCheck check, String address, int i) {
    if (check instanceof ServiceCheck.Http http && http.isPath() && address.startsWith("unix:")) {
      settings
          .find(AgentKeys.CHECK, i)
          .ifPresent(setting ->
              settings.refuse(setting, "another check, or a URL: the address is no HOST:PORT"));
    }
  }

  private Map<String, String> labels(int i) {
    Map<String, String> all = new LinkedHashMap<>(labels.read(AgentKeys.LABEL, i));
    settings
        .find(AgentKeys.ZONE, i)
        .ifPresent(zone -> {
          if (all.put(PoolConfig.Endpoint.ZONE, zone.value()) != null) {
            settings.refuse(zone, "only one of zone and the label zone");
          }
        });
    return all;
  }
}
