package dev.waymark.config;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Registry;
import dev.waymark.config.PoolConfig.Target;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads where upstreams are found. Stateless. */
final class Targets {
  /** The longest path of a unix socket that all supported kernels take. */
  private static final int UNIX_PATH_BYTES_MAX = 107;

  private static final int PATH_CHARS_MAX = 4096;
  private static final int DNS_PORT = 53;
  private static final String STATIC = "static:///";
  private static final String DNS = "dns://";
  private static final String SRV = "srv://";
  private static final String FILE = "file://";
  private static final String KUBERNETES = "k8s://";
  private static final String UNIX = "unix:";
  private static final String DIRECTORY = "directory://";
  private static final String ETCD = "etcd://";
  private static final String XDS = "xds://";
  private static final int SERVERS_MAX = 16;
  private static final String EXPECTED =
      "static:///HOST:PORT[,HOST:PORT], unix:/PATH, dns://[SERVER:PORT]/HOST:PORT, srv://[SERVER:PORT]/_SERVICE._tcp.NAME, file:///PATH, k8s://[SERVER:PORT]/SERVICE.NAMESPACE:PORT, directory://SERVER:PORT[,SERVER:PORT]/SERVICE, etcd://SERVER:PORT[,SERVER:PORT]/PREFIX or xds://SERVER:PORT[,SERVER:PORT]/SERVICE";

  /** A label of at most 63 characters (RFC 1123), as Kubernetes has it: in lower case. */
  private static final String LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

  /** Groups: service, namespace, and number or name of the port. */
  private static final Pattern SERVICE =
      Pattern.compile("(" + LABEL + ")\\.(" + LABEL + "):(" + LABEL + ")");

  /** The name of a service in a directory. */
  private static final Pattern SERVICE_NAME = Pattern.compile("[A-Za-z0-9._-]{1,253}");

  /** What keys in etcd begin with, and names of xDS resources. */
  private static final Pattern PATH_NAME = Pattern.compile("[!-.0-~](?:[!-~]{0,251}[!-.0-~])?");

  private Targets() {}

  /** A pool's {@code target}. */
  static ValueType<Target> target() {
    return ValueType.form(
        EXPECTED,
        "^(static:///|unix:/|dns://|srv://|file:///|k8s://|directory://|etcd://|xds://).+$",
        Targets::read);
  }

  /**
   * The address of one upstream: HOST:PORT or unix:/PATH, in the form that {@link Endpoint} keeps.
   */
  static ValueType<String> address() {
    return ValueType.form(
        "HOST:PORT, such as 10.0.0.7:4770 or [::1]:4770, or unix:/PATH",
        "^(unix:/.+|.+:[0-9]{1,5})$",
        text -> hasScheme(text, UNIX) ? unix(text) : HostPort.dialled(text).text());
  }

  /** The address of an instance that is registered, in one spelling. */
  static ValueType<String> registeredAddress() {
    ValueType<String> address = address();
    return ValueType.form(address.expected(), "^(unix:/.+|.+:[0-9]{1,5})$", ServiceAddress::read);
  }

  /** The name of a service in a directory. */
  static ValueType<String> service() {
    String expected = "1 to 253 of A-Z, a-z, 0-9, ., _ and -";
    return ValueType.form(
        expected,
        "^" + SERVICE_NAME + "$",
        text -> {
          if (!SERVICE_NAME.matcher(text).matches()) {
            throw new BadValueException(expected);
          }
          return text;
        });
  }

  /** Whether keys in etcd may begin with this. */
  static boolean isPathName(String text) {
    return PATH_NAME.matcher(text).matches();
  }

  /** One text for all spellings of an address that {@link #address} accepts. */
  static String canonical(String address) {
    try {
      return hasScheme(address, UNIX) ? address : HostPort.dialled(address).canonical();
    } catch (BadValueException defect) {
      throw new IllegalStateException(address, defect);
    }
  }

  private static Target read(String text) throws BadValueException {
    if (hasScheme(text, STATIC)) {
      return fixed(text.substring(STATIC.length()));
    }
    if (hasScheme(text, UNIX)) {
      return new Target.Fixed(List.of(endpoint(unix(text))));
    }
    if (hasScheme(text, DNS)) {
      return dns(text.substring(DNS.length()));
    }
    if (hasScheme(text, SRV)) {
      return srv(text.substring(SRV.length()));
    }
    if (hasScheme(text, FILE)) {
      return file(text.substring(FILE.length()));
    }
    if (hasScheme(text, KUBERNETES)) {
      return kubernetes(text.substring(KUBERNETES.length()));
    }
    if (hasScheme(text, DIRECTORY)) {
      return registered(Registry.DIRECTORY, text.substring(DIRECTORY.length()), SERVICE_NAME);
    }
    if (hasScheme(text, ETCD)) {
      return registered(Registry.ETCD, text.substring(ETCD.length()), PATH_NAME);
    }
    if (hasScheme(text, XDS)) {
      return registered(Registry.XDS, text.substring(XDS.length()), PATH_NAME);
    }
    throw new BadValueException(EXPECTED);
  }

  /** Case does not matter (RFC 3986, section 3.1). */
  private static boolean hasScheme(String text, String scheme) {
    return text.regionMatches(true, 0, scheme, 0, scheme.length());
  }

  private static Target fixed(String list) throws BadValueException {
    List<HostPort> upstreams = new ArrayList<>();
    for (String address : list.split(",", -1)) {
      HostPort upstream = HostPort.dialled(address.strip());
      if (upstreams.stream().anyMatch(upstream::isSameAs)) {
        throw new BadValueException(
            "each upstream only once; " + upstream.text() + " is listed twice");
      }
      upstreams.add(upstream);
    }
    return new Target.Fixed(upstreams.stream().map(each -> endpoint(each.text())).toList());
  }

  private static Target dns(String rest) throws BadValueException {
    int slash = rest.indexOf('/');
    if (slash < 0) {
      throw new BadValueException("three slashes, or a server before the third: dns:///HOST:PORT");
    }
    if (rest.startsWith("_", slash + 1) && rest.indexOf(':', slash) < 0) {
      // The names of SRV records start like this, and others rarely do.
      return srv(rest);
    }
    HostPort name = HostPort.dialled(rest.substring(slash + 1));
    return new Target.Dns(server(rest.substring(0, slash)), name.host(), name.port());
  }

  private static Target srv(String rest) throws BadValueException {
    int slash = rest.indexOf('/');
    String name = rest.substring(slash + 1);
    if (slash < 0 || !name.startsWith("_") || name.indexOf(':') >= 0) {
      throw new BadValueException(
          "three slashes and the name of SRV records, such as srv:///_echo._tcp.example.com");
    }
    return new Target.Srv(server(rest.substring(0, slash)), HostPort.dialled(name + ":1").host());
  }

  private static String server(String text) throws BadValueException {
    if (text.isEmpty()) {
      return "";
    }
    boolean hasPort = text.lastIndexOf(':') > text.lastIndexOf(']');
    return HostPort.dialled(hasPort ? text : text + ":" + DNS_PORT).text();
  }

  private static Target registered(Registry registry, String rest, Pattern name)
      throws BadValueException {
    int slash = rest.indexOf('/');
    String service = rest.substring(slash + 1);
    if (slash < 0 || !name.matcher(service).matches()) {
      String scheme = registry.name().toLowerCase(Locale.ROOT);
      throw new BadValueException(
          "servers and a service, such as " + scheme + "://10.0.0.7:" + registry.port() + "/echo");
    }
    return new Target.Registered(registry, servers(rest.substring(0, slash)), service);
  }

  /** Reads the servers of a registry, HOST:PORT[,HOST:PORT]. */
  static List<String> servers(String list) throws BadValueException {
    List<String> servers = new ArrayList<>();
    for (String server : list.split(",", -1)) {
      servers.add(HostPort.dialled(server.strip()).text());
    }
    if (servers.size() > SERVERS_MAX) {
      throw new BadValueException("at most " + SERVERS_MAX + " servers");
    }
    return servers;
  }

  private static Target file(String path) throws BadValueException {
    if (!path.startsWith("/")
        || path.length() < 2
        || path.length() > PATH_CHARS_MAX
        || path.chars().anyMatch(Character::isISOControl)) {
      throw new BadValueException(
          "file:// and an absolute path: file:///etc/waymark/upstreams.yml");
    }
    return new Target.ListFile(Path.of(path));
  }

  private static Target kubernetes(String rest) throws BadValueException {
    int slash = rest.indexOf('/');
    Matcher service = SERVICE.matcher(rest.substring(slash + 1));
    if (slash < 0 || !service.matches()) {
      throw new BadValueException(
          "three slashes, service, namespace and port, in lower case, such as k8s:///echo.shop:4770 or k8s:///echo.shop:grpc");
    }
    String server = slash == 0 ? "" : HostPort.dialled(rest.substring(0, slash)).text();
    return new Target.Kubernetes(
        server, service.group(1), service.group(2), endpointPort(service.group(3)));
  }

  /** A port of digits alone is a number, since the name of a port has a letter. */
  private static String endpointPort(String text) throws BadValueException {
    boolean isNumber = text.chars().allMatch(c -> c >= '0' && c <= '9');
    return isNumber ? Integer.toString(HostPort.dialled("host:" + text).port()) : text;
  }

  private static String unix(String text) throws BadValueException {
    String path = text.substring(UNIX.length());
    path = path.startsWith("///") ? path.substring(2) : path;
    if (!path.startsWith("/")
        || path.length() < 2
        || path.chars().anyMatch(Character::isISOControl)
        || path.getBytes(StandardCharsets.UTF_8).length > UNIX_PATH_BYTES_MAX) {
      throw new BadValueException(
          "unix: and an absolute path of at most " + UNIX_PATH_BYTES_MAX + " bytes");
    }
    return UNIX + path;
  }

  private static Endpoint endpoint(String address) {
    return new Endpoint(address, 1, Map.of());
  }
}
