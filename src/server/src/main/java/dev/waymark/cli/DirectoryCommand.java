package dev.waymark.cli;

import dev.waymark.api.http.AddressInUse;
import dev.waymark.bridge.Clock;
import dev.waymark.bridge.Version;
import dev.waymark.config.AdminTokens;
import dev.waymark.config.ConfigException;
import dev.waymark.config.LogConfig;
import dev.waymark.net.listener.ListenerPort;
import dev.waymark.registry.table.TableLimits;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Logging;
import dev.waymark.telemetry.Metrics;
import dev.waymark.telemetry.ProcessMetrics;
import dev.waymark.tools.directory.DirectoryAdmin;
import dev.waymark.tools.directory.DirectoryOptions;
import dev.waymark.tools.directory.DirectoryServer;
import dev.waymark.tools.directory.dns.DnsOptions;
import dev.waymark.tools.directory.dns.DnsServer;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code waymark directory}: the registry of instances. */
@Command(
    name = "directory",
    description =
        "The registry of services: nodes register their instances, others watch or ask for them.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class)
final class DirectoryCommand implements Callable<Integer> {
  private static final Duration TTL_MAX = Duration.ofHours(1);

  @Mixin private final FlagValues values = new FlagValues();

  @Option(
      names = "--listen",
      paramLabel = "ADDR",
      defaultValue = "127.0.0.1:7400",
      description =
          "Where to serve: HOST:PORT. :7400 is every IPv4 address (default: ${DEFAULT-VALUE}).")
  private String listen = "";

  @Option(
      names = "--admin",
      paramLabel = "ADDR",
      defaultValue = "127.0.0.1:7480",
      description = "The admin port (default: ${DEFAULT-VALUE}).")
  private String admin = "";

  @Option(
      names = "--ttl",
      paramLabel = "DURATION",
      defaultValue = "10s",
      description =
          "After how long without a heartbeat a node's instances are gone; a node may ask for less"
              + " (default: ${DEFAULT-VALUE}).")
  private String ttl = "";

  @Option(
      names = "--instances-max",
      paramLabel = "N",
      defaultValue = "500000",
      description = "How many instances may be registered (default: ${DEFAULT-VALUE}).")
  private int instancesMax;

  @Option(
      names = "--watchers-max",
      paramLabel = "N",
      defaultValue = "10000",
      description = "How many may watch at once (default: ${DEFAULT-VALUE}).")
  private int watchersMax;

  @Option(
      names = "--tokens",
      paramLabel = "FILE",
      description =
          "Who may do what: lines NAME ROLE SHA256, where the role is read, operate or"
              + " register:SERVICE[,SERVICE]; a service may end in *. Read again when it changes.")
  private @Nullable Path tokens;

  @Option(
      names = "--read-names",
      split = ",",
      paramLabel = "NAMES",
      description =
          "Whose client certificates have the role read: DNS names, or SPIFFE IDs, which may end in"
              + " /*.")
  private List<String> readNames = List.of();

  @Option(
      names = "--operate-names",
      split = ",",
      paramLabel = "NAMES",
      description = "Whose client certificates have the role operate.")
  private List<String> operateNames = List.of();

  @Option(
      names = "--register-names",
      paramLabel = "NAME=SERVICES",
      description =
          "Whose client certificates may register, and which services: NAME=SERVICE[,SERVICE]. May be"
              + " repeated.")
  private List<String> registerNames = List.of();

  @Option(
      names = "--open",
      description =
          "Serve everybody who can reach the directory, on an address that is not loopback and without"
              + " tokens or client certificates.")
  private boolean isOpen;

  @Mixin private final AttachTlsFlags tls = new AttachTlsFlags();
  @Mixin private final StoreFlags store = new StoreFlags();
  @Mixin private final DnsFlags dns = new DnsFlags();

  @Override
  public Integer call() throws InterruptedException {
    InetSocketAddress address = values.address("--listen", listen);
    InetSocketAddress adminAddress = values.address("--admin", admin);
    DirectoryOptions options = options(address);
    Optional<DnsOptions> dnsOptions = dns.options(values);
    Logging.configure(new LogConfig(LogConfig.Format.TEXT, LogConfig.Level.INFO, true), System.err);
    ShutdownSignals signals = ShutdownSignals.install();
    StandardStreams streams = ((Main) values.spec().root().userObject()).streams();
    EventLog log = new EventLog(Clock::nowNs);
    streams.err().onDropped(log::onDropped);
    DirectoryServer directory;
    try {
      directory = DirectoryServer.start(address, options, log, Clock::nowNs, new SecureRandom());
    } catch (IOException e) {
      return values.cannotListen("--listen", listen, String.valueOf(e.getMessage()));
    }
    Metrics metrics = new Metrics();
    ProcessMetrics.register(metrics, Version.current());
    directory.register(metrics);
    Optional<InetSocketAddress> dnsAddress;
    try {
      dnsAddress = serveDns(directory, dnsOptions, metrics);
    } catch (IOException e) {
      directory.close();
      return values.cannotListen("--dns", dns.address(), String.valueOf(e.getMessage()));
    }
    DirectoryAdmin adminServer = new DirectoryAdmin(adminAddress, directory, metrics, log);
    try {
      adminServer.start();
    } catch (AddressInUse e) {
      directory.close();
      return values.cannotListen("--admin", admin, e.why());
    }
    sayReady(directory, dnsAddress, adminServer);
    signals.await();
    directory.close();
    adminServer.close();
    log.write(Event.STOPPED);
    log.writeSuppressed();
    return 0;
  }

  /** Starts DNS, which ends with the loop of the directory; returns where it is served. */
  private static Optional<InetSocketAddress> serveDns(
      DirectoryServer directory, Optional<DnsOptions> wanted, Metrics metrics) throws IOException {
    return wanted.isEmpty()
        ? Optional.empty()
        : Optional.of(
            DnsServer.start(directory.loop(), directory.catalog(), wanted.get(), metrics)
                .address());
  }

  private void sayReady(
      DirectoryServer directory,
      Optional<InetSocketAddress> dnsAddress,
      DirectoryAdmin adminServer) {
    PrintWriter out = values.spec().commandLine().getOut();
    out.println(
        "waymark directory serves on "
            + ListenerPort.text(directory.address())
            + dnsAddress.map(at -> ", DNS on " + ListenerPort.text(at)).orElse("")
            + ", admin on http://"
            + ListenerPort.text(adminServer.address()));
    out.flush();
  }

  private DirectoryOptions options(InetSocketAddress address) {
    Duration longest = values.duration("--ttl", ttl);
    if (longest.compareTo(TableLimits.TTL_MIN) < 0 || longest.compareTo(TTL_MAX) > 0) {
      throw values.refused("--ttl: " + ttl + " (expected: 1s to 1h)");
    }
    TableLimits defaults = TableLimits.DEFAULTS;
    TableLimits limits =
        new TableLimits(
            longest,
            defaults.nodesMax(),
            atLeastOne("--instances-max", instancesMax),
            defaults.nodeInstancesMax(),
            defaults.changesMax(),
            defaults.dampingHalfLife());
    SslContext context = tls.context();
    Map<String, List<String>> registrars = registrars();
    boolean hasNames = !readNames.isEmpty() || !operateNames.isEmpty() || !registrars.isEmpty();
    if (hasNames && !tls.hasClientCa()) {
      throw values.refused(
          "--read-names, --operate-names and --register-names need --tls-client-ca");
    }
    if (!address.getAddress().isLoopbackAddress() && tokens == null && !hasNames && !isOpen) {
      throw values.refused(
          "--listen: "
              + listen
              + ": everybody who can reach it could register instances (expected: --tokens, client"
              + " certificates with --register-names, or --open)");
    }
    return new DirectoryOptions(
        limits,
        atLeastOne("--watchers-max", watchersMax),
        context,
        tokens(),
        store.options(values, tls.keyPermissions()),
        readNames,
        operateNames,
        registrars);
  }

  private int atLeastOne(String flag, int value) {
    if (value < 1) {
      throw values.refused(flag + ": " + value + " (expected: 1 or more)");
    }
    return value;
  }

  private Optional<AdminTokens> tokens() {
    try {
      return Optional.ofNullable(tokens).map(AdminTokens::ofDirectory);
    } catch (ConfigException bad) {
      throw values.refused("--tokens: " + bad.getMessage());
    }
  }

  private Map<String, List<String>> registrars() {
    Map<String, List<String>> registrars = new LinkedHashMap<>();
    for (String entry : registerNames) {
      int equals = entry.lastIndexOf('=');
      if (equals < 1 || equals == entry.length() - 1) {
        throw values.refused("--register-names: " + entry + " (expected: NAME=SERVICE[,SERVICE])");
      }
      registrars.put(entry.substring(0, equals), List.of(entry.substring(equals + 1).split(",")));
    }
    return registrars;
  }
}
