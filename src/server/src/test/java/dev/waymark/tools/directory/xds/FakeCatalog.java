package dev.waymark.tools.directory.xds;

import dev.waymark.registry.Catalog;
import dev.waymark.registry.Instance;
import dev.waymark.registry.LoadReport;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/** A catalog that has what the test puts into it; {@link #tell} tells of all changes since. */
public final class FakeCatalog implements Catalog {
  private final Map<String, Map<String, Entry>> services = new TreeMap<>();
  private final List<Consumer<Set<String>>> subscribers = new ArrayList<>();
  private final Set<String> changed = new HashSet<>();

  public static Instance instance(String service, String address) {
    return new Instance(
        service, address, 1, 0, Map.of(), Instance.Health.HEALTHY, LoadReport.UNKNOWN);
  }

  public FakeCatalog put(String service, String... addresses) {
    for (String address : addresses) {
      put(new Entry(instance(service, address), false));
    }
    return this;
  }

  public FakeCatalog put(Entry entry) {
    String service = entry.instance().service();
    services.computeIfAbsent(service, _ -> new TreeMap<>()).put(entry.instance().address(), entry);
    changed.add(service);
    return this;
  }

  public FakeCatalog remove(String service, String address) {
    services.getOrDefault(service, new TreeMap<>()).remove(address);
    services.values().removeIf(Map::isEmpty);
    changed.add(service);
    return this;
  }

  public void tell() {
    Set<String> told = Set.copyOf(changed);
    changed.clear();
    subscribers.forEach(each -> each.accept(told));
  }

  Set<String> takeChanged() {
    Set<String> taken = Set.copyOf(changed);
    changed.clear();
    return taken;
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
