package dev.waymark.tools.directory.dns;

import dev.waymark.registry.Catalog;
import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import dev.waymark.registry.LoadReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/** A catalog that tests fill, and that tells of each change at once. Not thread-safe. */
public final class FakeCatalog implements Catalog {
  private final Map<String, Map<String, Entry>> services = new TreeMap<>();
  private final List<Consumer<Set<String>>> subscribers = new ArrayList<>();

  /** Adds a healthy instance of weight 1 and priority 0. */
  public FakeCatalog put(String service, String address) {
    return put(service, address, 1, 0);
  }

  FakeCatalog put(String service, String address, int weight, int priority) {
    return put(service, address, weight, priority, Health.HEALTHY, false);
  }

  FakeCatalog put(
      String service, String address, int weight, int priority, Health health, boolean isDamped) {
    Instance instance =
        new Instance(service, address, weight, priority, Map.of(), health, LoadReport.UNKNOWN);
    services
        .computeIfAbsent(service, _ -> new TreeMap<>())
        .put(address, new Entry(instance, isDamped));
    tell(service);
    return this;
  }

  FakeCatalog remove(String service) {
    services.remove(service);
    tell(service);
    return this;
  }

  private void tell(String service) {
    subscribers.forEach(each -> each.accept(Set.of(service)));
  }

  int subscriberCount() {
    return subscribers.size();
  }

  @Override
  public Set<String> services() {
    return services.keySet();
  }

  @Override
  public List<Entry> instances(String service) {
    return List.copyOf(services.getOrDefault(service, Map.of()).values());
  }

  @Override
  public Runnable subscribe(Consumer<Set<String>> onChanged) {
    subscribers.add(onChanged);
    return () -> subscribers.remove(onChanged);
  }
}
