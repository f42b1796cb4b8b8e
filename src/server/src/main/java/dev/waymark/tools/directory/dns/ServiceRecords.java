package dev.waymark.tools.directory.dns;

import dev.waymark.registry.Catalog;
import dev.waymark.registry.Instance;
import io.netty.util.NetUtil;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
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

  private @Nullable Built built;

  /**
   * @param hosts by their first labels
   */
  private record Built(
      @Nullable RecordSet ipv4,
      @Nullable RecordSet ipv6,
      @Nullable RecordSet services,
      Map<String, Host> hosts) {}

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
    built = null;
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
    Built now = built();
    return switch (type) {
      case A -> now.ipv4;
      case AAAA -> now.ipv6;
      case SRV -> now.services;
      case NS, SOA, ANY, META, OTHER -> null;
    };
  }

  /** The place of {@code _service._tcp}, which has only SRV records. */
  Place servicesOnly() {
    return type -> type == RecordType.SRV ? built().services : null;
  }

  /** The host below it with this first label: the address of an instance, usable or not. */
  @Nullable Host host(String label) {
    return built().hosts.get(label);
  }

  private Built built() {
    Built now = built;
    if (now == null) {
      now = new Builder().build();
      built = now;
    }
    return now;
  }

  /** Makes the records of all instances. */
  private final class Builder {
    private final Map<String, Host> hosts = new HashMap<>();
    private final TreeMap<Integer, List<EncodedRecord>> records = new TreeMap<>();

    /** By priority and label, so that an address with several ports counts once. */
    private final TreeMap<Integer, Map<String, byte[]>> ips = new TreeMap<>();

    private final Set<String> seen = new HashSet<>();

    Built build() {
      for (String service : services) {
        for (Catalog.Entry each : catalog.instances(service)) {
          if (seen.add(each.instance().address())) {
            add(each.instance(), each.isUsable());
          }
        }
      }
      var first = ips.firstEntry();
      Collection<byte[]> best = first == null ? List.of() : first.getValue().values();
      return new Built(
          addresses(best, Integer.BYTES),
          addresses(best, IPV6_BYTES),
          records.isEmpty() ? null : RecordSet.ofTiers(records.values()),
          hosts);
    }

    private void add(Instance instance, boolean isUsable) {
      int colon = instance.address().lastIndexOf(':');
      int port = port(instance.address().substring(colon + 1));
      if (colon <= 0 || port <= 0) {
        return;
      }
      String where = instance.address().substring(0, colon);
      byte[] ip = ip(where);
      Host host = ip == null ? null : host(ip);
      byte[] target = ip == null ? Names.encode(where) : host == null ? null : host.name();
      if (!isUsable) {
        return;
      }
      int priority = instance.priority();
      if (ip != null) {
        ips.computeIfAbsent(priority, _ -> new HashMap<>()).put(Host.label(ip), ip);
      }
      if (target != null) {
        records
            .computeIfAbsent(priority, _ -> new ArrayList<>())
            .add(
                EncodedRecord.service(priority, instance.weight(), port, target, host, ttlSeconds));
      }
    }

    /** Null if the service's name is so long that its hosts can have none. */
    private @Nullable Host host(byte[] ip) {
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

  private @Nullable RecordSet addresses(Collection<byte[]> ips, int length) {
    List<EncodedRecord> records =
        ips.stream()
            .filter(ip -> ip.length == length)
            .map(ip -> EncodedRecord.address(ip, ttlSeconds))
            .toList();
    return records.isEmpty() ? null : RecordSet.ofTiers(List.of(records));
  }

  /** Returns 0 if it is none: the path of a unix socket. */
  private static int port(String text) {
    boolean isNumber =
        !text.isEmpty() && text.length() <= 5 && text.chars().allMatch(c -> c >= '0' && c <= '9');
    int port = isNumber ? Integer.parseInt(text) : 0;
    return port <= 0xffff ? port : 0;
  }

  /** Null for a name, and for an address that means something only on its own host. */
  private static byte @Nullable [] ip(String host) {
    boolean isIpv6 = host.startsWith("[") && host.endsWith("]");
    String address = isIpv6 ? host.substring(1, host.length() - 1) : host;
    return address.indexOf('%') < 0 ? NetUtil.createByteArrayFromIpAddressString(address) : null;
  }
}
