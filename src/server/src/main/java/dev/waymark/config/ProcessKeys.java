package dev.waymark.config;

import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.config.LogConfig.Format;
import dev.waymark.config.LogConfig.Level;
import java.time.Duration;
import java.util.List;

/** The keys of the process. Immutable. */
public final class ProcessKeys {
  static final KeyGroup<BridgeConfig> ADMIN = new KeyGroup<>("Admin port", Scope.BRIDGE, "admin.");

  static final Key<BridgeConfig, HostPort> ADMIN_ADDRESS =
      ADMIN
          .key("address", HostPort.listening())
          .byDefault("127.0.0.1:7080")
          .flag("--admin")
          .meaning(
              "Where metrics, health, state and operations are served over HTTP. On a loopback address nobody needs a token, unless admin.tokens is set; on any other, only /healthz, /readyz and /metrics answer without one. Wildcards as in listeners[].address.");

  public static final Key<BridgeConfig, List<String>> ADMIN_HOSTS =
      ADMIN
          .key("hosts", ValueType.hostNames())
          .orElse(List.of())
          .example("bridge.example.com")
          .flag("--admin-hosts")
          .meaning(
              "Names that requests to the admin port may carry in their Host header, besides IP addresses, localhost and names below it, names without a dot and the name in admin.address.");

  static final Key<BridgeConfig, String> ADMIN_TOKENS =
      ADMIN
          .key("tokens", ValueType.text(1, 4096))
          .readByHand()
          .example("/etc/waymark/tokens")
          .flag("--admin-tokens")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "File with the tokens of the admin port, one a line: NAME ROLE SHA256, where ROLE is read or operate. If set, a token is needed on loopback addresses, too. The file is read again when it changes. A relative path starts at the working directory.");

  static final Key<BridgeConfig, Boolean> ADMIN_TOKENS_FOR_OTHERS =
      ADMIN
          .key("tokens-readable-by-others", ValueType.bool())
          .byDefault("false")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Accept a token file that every user of the host may read or change. false: it is refused.");

  static final KeyGroup<BridgeConfig> ECHO_UPSTREAM =
      new KeyGroup<>("Embedded upstream", Scope.BRIDGE, "");

  static final Key<BridgeConfig, HostPort> ECHO =
      ECHO_UPSTREAM
          .key("echo", HostPort.listening())
          .byDefault("127.0.0.1:4770")
          .readByHand()
          .flag("--echo")
          .meaning(
              "Where the embedded echo upstream listens. It runs only where no pool and no upstream is configured. If the default port is taken, it uses any free one.");

  static final KeyGroup<BridgeConfig> LOG = new KeyGroup<>("Log", Scope.BRIDGE, "log.");

  public static final Key<BridgeConfig, Format> LOG_FORMAT =
      LOG.key("format", ValueType.word(Format.class))
          .byDefault("text")
          .flag("--log-format")
          .onReload(OnReload.AT_ONCE)
          .meaning("Format of log lines.");

  public static final Key<BridgeConfig, Level> LOG_LEVEL =
      LOG.key("level", ValueType.word(Level.class))
          .byDefault("info")
          .flag("--log-level")
          .onReload(OnReload.AT_ONCE)
          .meaning("Least severe level that is logged.");

  public static final Key<BridgeConfig, Boolean> LOG_ACCESS =
      LOG.key("access", ValueType.bool())
          .byDefault("true")
          .flag("--log-access")
          .onReload(OnReload.AT_ONCE)
          .meaning("Log one line at the end of every connection.");

  static final KeyGroup<BridgeConfig> PROCESS = new KeyGroup<>("The process", Scope.BRIDGE, "");

  public static final Key<BridgeConfig, Transport> TRANSPORT =
      PROCESS
          .key("transport", ValueType.word(Transport.class))
          .byDefault("auto")
          .flag("--transport")
          .meaning(
              "Socket transport. auto: the first of io_uring, epoll and nio that works on this host.");

  public static final Key<BridgeConfig, Integer> SHARDS =
      PROCESS
          .key("shards", ValueType.number(0, 1024))
          .byDefault("0")
          .flag("--shards")
          .meaning("Event loops, each with its own connections. 0: half the cores, at least one.");

  public static final Key<BridgeConfig, String> NODE =
      PROCESS
          .key("node", ValueType.text(1, 253))
          .readByHand()
          .example("bridge-1")
          .flag("--node")
          .meaning("Name of this bridge, told to upstreams and logged. Default: the host's name.");

  public static final Key<BridgeConfig, Duration> DRAIN_TIMEOUT =
      PROCESS
          .key("drain-timeout", ValueType.durationOrOff("24h"))
          .byDefault("30s")
          .flag("--drain-timeout")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "How long connections have to finish after SIGTERM. off: they are closed at once.");

  public static final Key<BridgeConfig, Duration> START_TIMEOUT =
      PROCESS
          .key("start-timeout", ValueType.durationOrOff("1h"))
          .byDefault("2s")
          .onReload(OnReload.AT_ONCE)
          .meaning("Listeners open after this long even without a SERVING upstream.");

  public static final Key<BridgeConfig, Long> MEMORY_BUDGET =
      PROCESS
          .key("memory-budget", ValueType.longSize("1MiB", "1024GiB"))
          .byDefault("128MiB")
          .flag("--memory-budget")
          .meaning(
              "Client and reply bytes that the bridge holds, plus 192 for each buffer, before it stops reading and accepting.");

  public static final Key<BridgeConfig, Duration> LINGER_TIMEOUT =
      PROCESS
          .key("linger-timeout", ValueType.duration("1h"))
          .byDefault("10s")
          .meaning(
              "A cleanly closed socket is reset when the client neither takes bytes nor closes for this long.");

  private ProcessKeys() {}
}
