package dev.waymark.tools.directory.dns;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.waymark.registry.Catalog;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The names of the zone: those of the services, and the few that it has of its own. Follows the
 * catalog. Confined to the event loop.
 */
final class Zone implements AutoCloseable {
  private static final String NAME_SERVER = "ns.dns";
  private static final String MAILBOX = "hostmaster";
  private static final String TCP = "_tcp";

  /** For secondary servers, of which there are none: in seconds, refresh, retry and expire. */
  private static final int[] TRANSFERS = {3_600, 600, 86_400};

  /** What {@link RecordType#ANY} is answered with (RFC 8482, section 4.2). */
  private static final byte[] ANY_ANSWER = "RFC8482".getBytes(US_ASCII);

  private final Catalog catalog;
  private final String name;
  private final String suffix;
  private final int ttlSeconds;
  private final byte[] nameServer;
  private final byte[] mailbox;
  private final RecordSet any;
  private final RecordSet nameServers;

  /** By name below the zone. */
  private final Map<String, Node> nodes = new HashMap<>();

  private final Node apex;
  private final Runnable unsubscribe;
  private int serial;
  private @Nullable RecordSet startOfAuthority;

  /** A name, and how many names of one more label are below it; it exists only if either is set. */
  private static final class Node {
    @Nullable Place place;
    int below;
  }

  /**
   * @param name of the zone, as {@link DnsOptions#zone} has it
   * @param server the address of this server; null if it is not known
   */
  Zone(Catalog catalog, String name, int ttlSeconds, @Nullable InetAddress server) {
    this.catalog = catalog;
    this.name = name;
    this.suffix = "." + name;
    this.ttlSeconds = ttlSeconds;
    this.nameServer = encode(NAME_SERVER + suffix);
    this.mailbox = encode(MAILBOX + suffix);
    this.any = RecordSet.of(EncodedRecord.hostInfo(ANY_ANSWER, new byte[0], ttlSeconds));
    Host host = server == null ? null : new Host(nameServer, server.getAddress(), ttlSeconds);
    this.nameServers = RecordSet.of(EncodedRecord.nameServer(nameServer, host, ttlSeconds));
    this.apex = new Node();
    apex.place = this::ofApex;
    nodes.put("", apex);
    put(NAME_SERVER, host == null ? Place.EMPTY : host);
    onChanged(catalog.services());
    this.unsubscribe = catalog.subscribe(this::onChanged);
  }

  private static byte[] encode(String name) {
    return Objects.requireNonNull(Names.encode(name), "the options check the zone");
  }

  /** No longer follows the catalog. */
  @Override
  public void close() {
    unsubscribe.run();
  }

  /** How long the name of the zone is on the wire. */
  int nameBytes() {
    return name.length() + 2;
  }

  /**
   * Whether a name is in the zone.
   *
   * @param key as {@link Names#readKey} returns it
   */
  boolean contains(String key) {
    return key.endsWith(name)
        && (key.length() == name.length() || key.charAt(key.length() - suffix.length()) == '.');
  }

  /**
   * Returns what a name in the zone stands for; null if it does not exist.
   *
   * @param key of a name that it {@link #contains}
   */
  @Nullable Place find(String key) {
    String relative = key.substring(0, Math.max(0, key.length() - suffix.length()));
    Node node = nodes.get(relative);
    if (node != null) {
      return node.place == null ? Place.EMPTY : node.place;
    }
    int dot = relative.indexOf('.');
    String first = dot < 0 ? relative : relative.substring(0, dot);
    String rest = dot < 0 ? "" : relative.substring(dot + 1);
    if (first.equals(TCP)) {
      return hasBelow(rest) ? Place.EMPTY : null;
    }
    if (first.startsWith("_")) {
      return services(first.substring(1), rest);
    }
    ServiceRecords service = Host.isLabel(first) ? service(rest) : null;
    return service == null ? null : service.host(first);
  }

  private boolean hasBelow(String parent) {
    Node node = nodes.get(parent);
    return node != null && node.below > 0;
  }

  /** {@code _cart._tcp.shop} has the SRV records of cart.shop (RFC 2782). */
  private @Nullable Place services(String label, String rest) {
    boolean isTcp = rest.equals(TCP) || rest.startsWith(TCP + ".");
    ServiceRecords service = isTcp ? service(label + rest.substring(TCP.length())) : null;
    return service == null ? null : service.servicesOnly();
  }

  private @Nullable ServiceRecords service(String relative) {
    Node node = nodes.get(relative);
    return node != null && node.place instanceof ServiceRecords service ? service : null;
  }

  private @Nullable RecordSet ofApex(RecordType type) {
    return switch (type) {
      case SOA -> startOfAuthority();
      case NS -> nameServers;
      case A, AAAA, SRV, ANY, META, OTHER -> null;
    };
  }

  /** What stands for all records of a name. */
  RecordSet any() {
    return any;
  }

  /** The SOA record; its serial number counts changes since the start. */
  RecordSet startOfAuthority() {
    RecordSet now = startOfAuthority;
    if (now == null) {
      int[] numbers = {serial, TRANSFERS[0], TRANSFERS[1], TRANSFERS[2], ttlSeconds};
      now = RecordSet.of(EncodedRecord.startOfAuthority(nameServer, mailbox, numbers, ttlSeconds));
      startOfAuthority = now;
    }
    return now;
  }

  private void onChanged(Set<String> services) {
    serial++;
    startOfAuthority = null;
    services.forEach(this::onChanged);
  }

  private void onChanged(String service) {
    String relative = Names.key(service);
    Node node = nodes.get(relative);
    boolean exists = !catalog.instances(service).isEmpty();
    if (node != null && node.place instanceof ServiceRecords records) {
      records.onChanged(service, exists);
      if (records.isEmpty()) {
        remove(relative, node);
      }
    } else if (exists && !relative.equals(NAME_SERVER) && Names.isLegal(relative + suffix)) {
      ServiceRecords records = new ServiceRecords(catalog, relative + suffix, ttlSeconds);
      records.onChanged(service, true);
      put(relative, records);
    }
  }

  private void put(String relative, Place place) {
    node(relative).place = place;
  }

  /** Returns the node of a name; adds it, and those above, if they do not exist. */
  private Node node(String relative) {
    Node known = nodes.get(relative);
    if (known != null) {
      return known;
    }
    Node added = new Node();
    nodes.put(relative, added);
    node(parent(relative)).below++;
    return added;
  }

  /** Its node stays while there is something below. */
  private void remove(String relative, Node node) {
    node.place = null;
    String at = relative;
    Node left = node;
    while (left.place == null && left.below == 0) {
      nodes.remove(at);
      at = parent(at);
      left = node(at);
      left.below--;
    }
  }

  private static String parent(String relative) {
    int dot = relative.indexOf('.');
    return dot < 0 ? "" : relative.substring(dot + 1);
  }
}
