package dev.waymark.cli;

import dev.waymark.api.http.AddressInUse;
import dev.waymark.bridge.Clock;
import dev.waymark.bridge.Version;
import dev.waymark.config.AgentService;
import dev.waymark.config.BadValueException;
import dev.waymark.config.ConfigException;
import dev.waymark.config.HostName;
import dev.waymark.config.LogConfig;
import dev.waymark.config.PoolConfig.Registry;
import dev.waymark.config.RegistryAddress;
import dev.waymark.config.TokenFile;
import dev.waymark.etcd.EtcdUser;
import dev.waymark.net.listener.ListenerPort;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Logging;
import dev.waymark.telemetry.Metrics;
import dev.waymark.telemetry.ProcessMetrics;
import dev.waymark.tools.agent.Agent;
import dev.waymark.tools.agent.AgentAdmin;
import dev.waymark.tools.agent.AgentOptions;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code waymark agent}: checks services and keeps the healthy ones registered. */
@Command(
    name = "agent",
    description =
        "Stands beside services: checks them, and keeps those that are healthy registered with a"
            + " directory.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    versionProvider = VersionText.class)
final class AgentCommand implements Callable<Integer> {
  private static final Duration TTL_MIN = Duration.ofSeconds(1);
  private static final int NODE_CHARS_MAX = 253;
  private static final int REGISTRIES_MAX = 16;

  /** How long the line that says what is minded waits for the first checks. */
  private static final long FIRST_CHECKS_MS = 2_000;

  @Mixin private final FlagValues values = new FlagValues();
  @Mixin private final AgentServiceFlags minded = new AgentServiceFlags();

  @Option(
      names = "--registry",
      paramLabel = "REGISTRY",
      required = true,
      description =
          "Where to register: directory://HOST:PORT[,HOST:PORT], with each of them, or"
              + " etcd://HOST:PORT[,HOST:PORT]/PREFIX. May be repeated.")
  private List<String> registries = List.of();

  @Mixin private final RegistryTlsFlags tls = new RegistryTlsFlags();

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "The token that the directories ask for. Read for each call.")
  private @Nullable Path tokenFile;

  @Option(
      names = "--registry-username",
      paramLabel = "NAME",
      description = "The user as whom to log in to etcd.")
  private @Nullable String username;

  @Option(
      names = "--registry-password-file",
      paramLabel = "FILE",
      description = "File with that user's password. Read at each login.")
  private @Nullable Path passwordFile;

  @Option(
      names = "--ttl",
      paramLabel = "DURATION",
      defaultValue = "10s",
      description =
          "After how long without a word from the agent its services are gone; a directory may say"
              + " less (default: ${DEFAULT-VALUE}).")
  private String ttl = "";

  @Option(
      names = "--node",
      paramLabel = "NAME",
      description =
          "How the agent is called there; no other may have this name (default: host, process id and"
              + " a random number).")
  private @Nullable String node;

  @Option(
      names = "--admin",
      paramLabel = "ADDR",
      description = "The admin port, such as 127.0.0.1:7481 (default: none).")
  private @Nullable String admin;

  @Override
  public Integer call() throws InterruptedException {
    RandomGenerator random = new SecureRandom();
    AgentOptions options = options(random);
    Optional<InetSocketAddress> adminAddress =
        Optional.ofNullable(admin).map(text -> values.address("--admin", text));
    Logging.configure(new LogConfig(LogConfig.Format.TEXT, LogConfig.Level.INFO, true), System.err);
    ShutdownSignals signals = ShutdownSignals.install();
    StandardStreams streams = ((Main) values.spec().root().userObject()).streams();
    EventLog log = new EventLog(Clock::nowNs);
    streams.err().onDropped(log::onDropped);
    Agent agent = Agent.start(options, log, Clock::nowNs, Clock::now, random);
    Metrics metrics = new Metrics();
    ProcessMetrics.register(metrics, Version.current());
    agent.register(metrics);
    Optional<AgentAdmin> adminServer =
        adminAddress.map(address -> new AgentAdmin(address, agent, metrics, log));
    try {
      adminServer.ifPresent(AgentAdmin::start);
    } catch (AddressInUse e) {
      agent.close();
      return values.cannotListen("--admin", String.valueOf(admin), e.why());
    }
    agent.awaitChecked(FIRST_CHECKS_MS);
    sayReady(agent, options, adminServer);
    signals.await();
    agent.close();
    adminServer.ifPresent(AgentAdmin::close);
    log.write(Event.STOPPED);
    log.writeSuppressed();
    return 0;
  }

  private void sayReady(Agent agent, AgentOptions options, Optional<AgentAdmin> adminServer) {
    List<AgentService> services = options.services();
    String what =
        services.size() == 1
            ? services.getFirst().name()
            : services.size() + " services, of which " + agent.healthyCount();
    String health =
        services.size() == 1 ? (agent.healthyCount() == 1 ? "healthy" : "not healthy yet") : "";
    PrintWriter out = values.spec().commandLine().getOut();
    out.println(
        "waymark agent minds "
            + (services.size() == 1 ? what + " (" + health + ")" : what + " are healthy")
            + ", for "
            + options.registries().stream()
                .map(RegistryAddress::text)
                .collect(Collectors.joining(" and "))
            + adminServer
                .map(server -> ", admin on http://" + ListenerPort.text(server.address()))
                .orElse(""));
    out.flush();
  }

  private AgentOptions options(RandomGenerator random) {
    Duration longest = values.duration("--ttl", ttl);
    if (longest.compareTo(TTL_MIN) < 0) {
      throw values.refused("--ttl: " + ttl + " (expected: 1s to 1h)");
    }
    return new AgentOptions(
        node == null ? randomNode(random) : node(node),
        longest,
        minded.services(),
        registries(),
        tls.config(),
        tokenFile(),
        etcdUser());
  }

  /** In containers, host and process id may be those of another agent. */
  private static String randomNode(RandomGenerator random) {
    return HostName.read()
        + ":"
        + ProcessHandle.current().pid()
        + ":"
        + HexFormat.of().toHexDigits((short) random.nextInt());
  }

  private String node(String name) {
    boolean isPrintable = name.chars().allMatch(c -> c >= ' ' && c <= '~');
    if (name.isBlank() || name.length() > NODE_CHARS_MAX || !isPrintable) {
      throw values.refused("--node: " + name + " (expected: 1 to 253 printable ASCII characters)");
    }
    return name;
  }

  private List<RegistryAddress> registries() {
    List<RegistryAddress> read = new ArrayList<>();
    for (String text : registries) {
      for (RegistryAddress each : registry(text).each()) {
        if (read.contains(each)) {
          throw values.refused("--registry: " + each.text() + ": given twice");
        }
        read.add(each);
      }
    }
    if (read.size() > REGISTRIES_MAX) {
      throw values.refused("--registry: more than " + REGISTRIES_MAX + " registries");
    }
    return read;
  }

  private RegistryAddress registry(String text) {
    try {
      RegistryAddress address = RegistryAddress.read(text);
      if (address.registry() == Registry.ETCD && values.duration("--ttl", ttl).toSeconds() < 2) {
        throw values.refused("--ttl: " + ttl + " (expected with etcd: 2s or more)");
      }
      return address;
    } catch (BadValueException bad) {
      throw values.refused("--registry: " + text + " (expected: " + bad.expected() + ")");
    }
  }

  private Optional<EtcdUser> etcdUser() {
    if ((username == null) != (passwordFile == null)) {
      throw values.refused("--registry-username and --registry-password-file need each other");
    }
    if (username == null || passwordFile == null) {
      return Optional.empty();
    }
    Path file = passwordFile;
    try {
      TokenFile.password(file);
    } catch (ConfigException unusable) {
      throw values.refused("--registry-password-file: " + unusable.getMessage());
    }
    return Optional.of(new EtcdUser(username, () -> TokenFile.password(file)));
  }

  /** Reads it once now, so that a mistake is found at the start. */
  private Optional<Path> tokenFile() {
    try {
      var _ = Optional.ofNullable(tokenFile).map(TokenFile::read);
    } catch (ConfigException unusable) {
      throw values.refused("--token-file: " + unusable.getMessage());
    }
    return Optional.ofNullable(tokenFile);
  }
}
