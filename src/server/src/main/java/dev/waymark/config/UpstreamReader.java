package dev.waymark.config;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.Values.Elements;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Reads a list of upstreams. Confined to one load. */
final class UpstreamReader {
  private final Settings settings;
  private final LabelReader labels;
  private final UpstreamKeys keys;

  UpstreamReader(Settings settings, LabelReader labels, UpstreamKeys keys) {
    this.settings = settings;
    this.labels = labels;
    this.keys = keys;
  }

  /**
   * Reads all upstreams of the list.
   *
   * @param at the indices of what contains the list
   */
  List<Endpoint> read(Elements list, int... at) {
    Map<String, Endpoint> upstreams = new LinkedHashMap<>();
    for (int j = 0; j < list.count(); j++) {
      int[] place = IntStream.concat(IntStream.of(at), IntStream.of(j)).toArray();
      Optional<Setting<String>> address =
          settings.demand(keys.address(), list.elements().get(j), place);
      int weight = settings.value(keys.weight(), place);
      int priority = settings.value(keys.priority(), place);
      Map<String, String> given = labels(place);
      address.ifPresent(found -> {
        Endpoint endpoint = new Endpoint(found.value(), weight, priority, given);
        if (upstreams.putIfAbsent(Targets.canonical(found.value()), endpoint) != null) {
          settings.refuse(found, "each upstream only once; give it more weight instead");
        }
      });
    }
    return List.copyOf(upstreams.values());
  }

  private Map<String, String> labels(int[] place) {
    Map<String, String> all = new LinkedHashMap<>(labels.read(keys.label(), place));
    settings
        .find(keys.zone(), place)
        .ifPresent(zone -> {
          if (all.put(Endpoint.ZONE, zone.value()) != null) {
            settings.refuse(zone, "only one of zone and labels.zone");
          }
        });
    return all;
  }
}
