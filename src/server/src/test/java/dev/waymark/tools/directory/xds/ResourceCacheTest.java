package dev.waymark.tools.directory.xds;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.Catalog.Entry;
import dev.waymark.registry.Instance;
import dev.waymark.registry.LoadReport;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ResourceCacheTest {
  private final FakeCatalog catalog = new FakeCatalog().put("echo", "10.0.0.1:80");
  private final RecordedAdsEvents events = new RecordedAdsEvents();
  private final ResourceCache cache = new ResourceCache(catalog, events);

  private Set<String> tell() {
    return cache.onChanged(catalog.takeChanged());
  }

  @Test
  void resource_isEncodedOnce_untilItChanges() {
    EncodedResource first = cache.find(ResourceType.ENDPOINTS, "echo").orElseThrow();
    Instance busy =
        new Instance(
            "echo",
            "10.0.0.1:80",
            1,
            0,
            Map.of(),
            Instance.Health.HEALTHY,
            new LoadReport(0.9, 0, 0, 0, 0, 0));
    catalog.put(new Entry(busy, false));
    assertThat(tell()).isEmpty();
    assertThat(cache.find(ResourceType.ENDPOINTS, "echo")).containsSame(first);
    catalog.put("echo", "10.0.0.2:80");
    tell();
    assertThat(cache.find(ResourceType.ENDPOINTS, "echo").orElseThrow().version())
        .isNotEqualTo(first.version());
  }

  @Test
  void services_comeAndGo() {
    catalog.put("other", "10.0.0.2:80");
    assertThat(tell()).containsExactly("other");
    assertThat(cache.services()).containsExactlyInAnyOrder("echo", "other");
    catalog.remove("echo", "10.0.0.1:80");
    assertThat(tell()).containsExactly("echo");
    assertThat(cache.find(ResourceType.LISTENER, "echo")).isEmpty();
    assertThat(cache.onChanged(Set.of("nobody"))).isEmpty();
  }

  @Test
  void unusableInstance_isReportedOnce_untilItHasBeenUsable() {
    catalog.put("echo", "name:80");
    tell();
    cache.find(ResourceType.ENDPOINTS, "echo");
    catalog.put("echo", "10.0.0.3:80");
    tell();
    cache.find(ResourceType.ENDPOINTS, "echo");
    assertThat(events.all).hasSize(1).first().asString().startsWith("unusable echo name:80: ");
    catalog.remove("echo", "name:80");
    tell();
    cache.find(ResourceType.ENDPOINTS, "echo");
    catalog.put("echo", "name:80");
    tell();
    cache.find(ResourceType.ENDPOINTS, "echo");
    assertThat(events.all).hasSize(2);
  }
}
