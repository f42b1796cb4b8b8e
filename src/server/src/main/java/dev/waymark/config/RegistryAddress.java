package dev.waymark.config;

import dev.waymark.config.PoolConfig.Registry;
import java.util.List;
import java.util.Locale;

/**
 * A registry in which instances are registered: {@code directory://10.0.0.7:7400,10.0.0.8:7400} or
 * {@code etcd://10.0.0.7:2379/waymark}. Immutable.
 *
 * @param servers host:port, at least one: members of one etcd, or directories, each of which has a
 *     table of its own
 * @param prefix what keys in etcd begin with; empty for a directory
 */
public record RegistryAddress(Registry registry, List<String> servers, String prefix) {
  private static final String EXPECTED =
      "directory://SERVER:PORT[,SERVER:PORT] or etcd://SERVER:PORT[,SERVER:PORT]/PREFIX";

  public RegistryAddress {
    servers = List.copyOf(servers);
  }

  /**
   * Reads the text.
   *
   * @throws BadValueException naming what is expected
   */
  public static RegistryAddress read(String text) throws BadValueException {
    if (hasScheme(text, Registry.DIRECTORY)) {
      String rest = text.substring(scheme(Registry.DIRECTORY).length());
      String servers = rest.endsWith("/") ? rest.substring(0, rest.length() - 1) : rest;
      if (servers.indexOf('/') >= 0) {
        throw new BadValueException("directory://SERVER:PORT[,SERVER:PORT], without a service");
      }
      return new RegistryAddress(Registry.DIRECTORY, Targets.servers(servers), "");
    }
    if (hasScheme(text, Registry.ETCD)) {
      String rest = text.substring(scheme(Registry.ETCD).length());
      int slash = rest.indexOf('/');
      String prefix = rest.substring(slash + 1);
      if (slash < 0 || !Targets.isPathName(prefix)) {
        throw new BadValueException("a prefix, such as etcd://10.0.0.7:2379/waymark");
      }
      return new RegistryAddress(Registry.ETCD, Targets.servers(rest.substring(0, slash)), prefix);
    }
    throw new BadValueException(EXPECTED);
  }

  /** Case does not matter (RFC 3986, section 3.1). */
  private static boolean hasScheme(String text, Registry registry) {
    String scheme = scheme(registry);
    return text.regionMatches(true, 0, scheme, 0, scheme.length());
  }

  private static String scheme(Registry registry) {
    return registry.name().toLowerCase(Locale.ROOT) + "://";
  }

  /** The registries to register with: every directory by itself, but one etcd. */
  public List<RegistryAddress> each() {
    return registry == Registry.DIRECTORY
        ? servers.stream()
            .map(server -> new RegistryAddress(registry, List.of(server), prefix))
            .toList()
        : List.of(this);
  }

  /** As it is written. */
  public String text() {
    return scheme(registry) + String.join(",", servers) + (prefix.isEmpty() ? "" : "/" + prefix);
  }
}
