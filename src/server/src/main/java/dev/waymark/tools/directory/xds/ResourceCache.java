package dev.waymark.tools.directory.xds;

import dev.waymark.registry.Catalog;
import dev.waymark.registry.Catalog.Entry;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The resources of all services, each encoded once for all clients, when the first needs it.
 * Confined to the event loop.
 */
final class ResourceCache {
  private static final class Service {
    private final Map<ResourceType, EncodedResource> encoded = new EnumMap<>(ResourceType.class);

    /** What the encoded endpoints were made of. */
    private List<Entry> entries = List.of();

    /** Whether the instances may have changed since. */
    private boolean isStale = true;

    private Set<String> unusable = Set.of();
  }

  private final Catalog catalog;
  private final AdsEvents events;
  private final Map<String, Service> services = new HashMap<>();
  private long revision = 1;
  private boolean isWhole;

  ResourceCache(Catalog catalog, AdsEvents events) {
    this.catalog = catalog;
    this.events = events;
    catalog.services().forEach(name -> services.put(name, new Service()));
  }

  // --- inputs ---

  /**
   * The instances of these services have changed.
   *
   * @return those of them that are new or gone
   */
  Set<String> onChanged(Set<String> changed) {
    revision++;
    Set<String> newOrGone = new HashSet<>();
    for (String name : changed) {
      if (catalog.instances(name).isEmpty()) {
        if (services.remove(name) != null) {
          newOrGone.add(name);
        }
      } else if (services.containsKey(name)) {
        services.get(name).isStale = true;
      } else {
        services.put(name, new Service());
        newOrGone.add(name);
      }
    }
    return newOrGone;
  }

  /** From now on what is not in the catalog does not exist. */
  void onWhole() {
    isWhole = true;
  }

  // --- outputs ---

  boolean isWhole() {
    return isWhole;
  }

  /** Grows with every change. */
  long revision() {
    return revision;
  }

  Set<String> services() {
    return services.keySet();
  }

  /** Empty if there is no such service. */
  Optional<EncodedResource> find(ResourceType type, String name) {
    Service service = services.get(name);
    if (service == null) {
      return Optional.empty();
    }
    if (type == ResourceType.ENDPOINTS && service.isStale) {
      refresh(name, service);
    }
    return Optional.of(service.encoded.computeIfAbsent(type, _ -> encode(type, name, service)));
  }

  /** The endpoints of a service that has none. */
  EncodedResource noEndpoints(String name) {
    return EncodedResource.of(ResourceType.ENDPOINTS, name, Assignments.empty(name));
  }

  // --- encoding ---

  private void refresh(String name, Service service) {
    List<Entry> now = List.copyOf(catalog.instances(name));
    service.isStale = false;
    if (!Assignments.isSame(service.entries, now)) {
      service.entries = now;
      service.encoded.remove(ResourceType.ENDPOINTS);
    }
  }

  private EncodedResource encode(ResourceType type, String name, Service service) {
    return EncodedResource.of(
        type,
        name,
        switch (type) {
          case CLUSTER -> RouteResources.cluster(name);
          case LISTENER -> RouteResources.listener(name);
          case ROUTE -> RouteResources.route(name);
          case ENDPOINTS -> {
            Set<String> unusable = new HashSet<>();
            var assignment =
                Assignments.of(
                    name,
                    service.entries,
                    (address, why) -> {
                      unusable.add(address);
                      if (!service.unusable.contains(address)) {
                        events.onUnusable(name, address, why);
                      }
                    });
            service.unusable = unusable;
            yield assignment;
          }
        });
  }
}
