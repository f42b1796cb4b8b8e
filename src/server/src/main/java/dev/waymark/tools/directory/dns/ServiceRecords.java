package dev.waymark.tools.directory.dns;

import dev.waymark.registry.Catalog;
import dev.waymark.registry.Instance;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The records of a service, made when they are first asked for after it has changed. Services whose
 * names differ only in case are one. Confined to the event loop.
 */
final class ServiceRecords implements Place {
  private static final int IPV6_BYTES = 16;

  private final Catalog catalog;
  private final String name;
  private final int ttlSeconds;

  /** Its names in the catalog. */
  private final TreeSet<String> services = new TreeSet<>();

  private @Nullable Addresses addresses;
  private @Nullable Targets targets;

  private record Addresses(@Nullable RecordSet ipv4, @Nullable RecordSet ipv6) {}

  /**
   * @param hosts by their first labels
   */
  private record Targets(@Nullable RecordSet services, Map<String, Host> hosts) {}

  /**
   * @param name in the zone, with that of the zone
   */
  ServiceRecords(Catalog catalog, String name, int ttlSeconds) {
    this.catalog = catalog;
    this.name = name;
    this.ttlSeconds = ttlSeconds;
  }

  /**
   * A service of this name has changed.
   *
   * @param exists whether it has instances
   */
  void onChanged(String service, boolean exists) {
    addresses = null;
    targets = null;
    if (exists) {
      services.add(service);
    } else {
      services.remove(service);
    }
  }

  /** Whether no service is left. */
  boolean isEmpty() {
    return services.isEmpty();
  }

  @Override
  public @Nullable RecordSet records(RecordType type) {
    return switch (type) {
      case A -> addresses().ipv4;
      case AAAA -> addresses().ipv6;
      case SRV -> targets().services;
      case NS, SOA, ANY, META, OTHER -> null;
    };
  }

  /** The place of {@code _service._tcp}, which has only SRV records. */
  Place servicesOnly() {
    return type -> type == RecordType.SRV ? targets().services : null;
  }

  /** The host below it with this first label: the address of an instance, usable or not. */
  @Nullable Host host(String label) {
    return targets().hosts.get(label);
  }

  private Addresses addresses() {
    Addresses made = addresses;
    if (made == null) {
      made = makeAddresses();
      addresses = made;
    }
    return made;
  }

  private Targets targets() {
    Targets made = targets;
    if (made == null) {
      made = makeTargets();
      targets = made;
    }
    return made;
  }

  /** Calls with each instance that DNS can express. */
  private void forEach(BiConsumer<Catalog.Entry, Endpoint> action) {
    Map<String, Catalog.Entry> entries = new LinkedHashMap<>();
    for (String service : services) {
      for (Catalog.Entry each : catalog.instances(service)) {
        entries.putIfAbsent(each.instance().address(), each);
      }
    }
    entries.forEach((address, entry) -> {
      Endpoint endpoint = Endpoint.read(address);
      if (endpoint != null) {
        action.accept(entry, endpoint);
      }
    });
  }

  private Addresses makeAddresses() {
    // By priority, and an address with several ports counts once.
    TreeMap<Integer, Map<ByteBuffer, EncodedRecord>> records = new TreeMap<>();
    forEach((entry, endpoint) -> {
      byte[] ip = endpoint.ip();
      if (ip != null && entry.isUsable()) {
        records
            .computeIfAbsent(entry.instance().priority(), _ -> new HashMap<>())
            .computeIfAbsent(ByteBuffer.wrap(ip), _ -> EncodedRecord.address(ip, ttlSeconds));
      }
    });
    var first = records.firstEntry();
    return first == null
        ? new Addresses(null, null)
        : new Addresses(
            ofLength(first.getValue(), Integer.BYTES), ofLength(first.getValue(), IPV6_BYTES));
  }

  private static @Nullable RecordSet ofLength(
      Map<ByteBuffer, EncodedRecord> records, int addressBytes) {
    List<EncodedRecord> found = new ArrayList<>();
    records.forEach((ip, each) -> {
      if (ip.capacity() == addressBytes) {
        found.add(each);
      }
    });
    return found.isEmpty() ? null : RecordSet.ofTiers(List.of(found));
  }

  private Targets makeTargets() {
    Map<String, Host> hosts = new HashMap<>();
    TreeMap<Integer, List<EncodedRecord>> records = new TreeMap<>();
    forEach((entry, endpoint) -> {
      Instance instance = entry.instance();
      byte[] ip = endpoint.ip();
      Host host = ip == null ? null : host(hosts, ip);
      byte[] target =
          ip == null ? Names.encode(endpoint.host()) : host == null ? null : host.name();
      if (target != null && entry.isUsable()) {
        records
            .computeIfAbsent(instance.priority(), _ -> new ArrayList<>())
            .add(
                EncodedRecord.service(
                    instance.priority(),
                    instance.weight(),
                    endpoint.port(),
                    target,
                    host,
                    ttlSeconds));
      }
    });
    return new Targets(records.isEmpty() ? null : RecordSet.ofTiers(records.values()), hosts);
  }

  /** Null if the service's name is so long that its hosts can have none. */
  private @Nullable Host host(Map<String, Host> hosts, byte[] ip) {
    String label = Host.label(ip);
    Host known = hosts.get(label);
    byte[] hostName = known == null ? Names.encode(label + "." + name) : null;
    if (hostName == null) {
      return known;
    }
    Host host = new Host(hostName, ip, ttlSeconds);
    hosts.put(label, host);
    return host;
  }
}
