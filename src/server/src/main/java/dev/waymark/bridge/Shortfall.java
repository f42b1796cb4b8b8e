package dev.waymark.bridge;

import dev.waymark.config.BridgeConfig;
import dev.waymark.config.HealthKeys;
import dev.waymark.config.ListenerKeys;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.LoadedConfig.Entry;
import dev.waymark.config.Origin;
import dev.waymark.config.TlsKeys;
import dev.waymark.net.NettyTransport;
import io.netty.handler.ssl.OpenSsl;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Something that works here, but less well than configured or than possible. Logged once at start,
 * because nothing else would show it. Immutable.
 *
 * @param what what is used or in force instead
 * @param effect the consequence
 */
record Shortfall(String what, String reason, String effect) {
  /**
   * The environment of a bridge.
   *
   * @param clientsMax number of clients that the file descriptor limit allows
   * @param acceptQueueMax the kernel's bound for every backlog
   * @param jvm the system property {@code java.vm.info}
   */
  record Environment(NettyTransport transport, long clientsMax, int acceptQueueMax, String jvm) {
    private static final Path SOMAXCONN = Path.of("/proc/sys/net/core/somaxconn");

    static Environment current(NettyTransport transport, long clientsMax) {
      return new Environment(
          transport, clientsMax, acceptQueue(), System.getProperty("java.vm.info", ""));
    }

    /** Returns the kernel's bound, or no bound if it cannot be read. */
    private static int acceptQueue() {
      // In a single read, unlike readString: the kernel returns such a file truncated otherwise.
      try (BufferedReader file = Files.newBufferedReader(SOMAXCONN)) {
        return Integer.parseInt(String.valueOf(file.readLine()).strip());
      } catch (IOException | NumberFormatException unknown) {
        return Integer.MAX_VALUE;
      }
    }
  }

  static List<Shortfall> of(Environment environment, LoadedConfig loaded) {
    List<Shortfall> all = new ArrayList<>();
    transport(environment.transport, loaded.config()).ifPresent(all::add);
    descriptors(environment.clientsMax, loaded.entries()).ifPresent(all::add);
    backlog(environment.acceptQueueMax, loaded.config()).ifPresent(all::add);
    archive(environment.jvm).ifPresent(all::add);
    ticketKeys(loaded.config()).ifPresent(all::add);
    return all;
  }

  private static Optional<Shortfall> transport(NettyTransport transport, BridgeConfig config) {
    boolean hasTimeouts =
        Stream.concat(
                config.listeners().stream()
                    .map(listener -> listener.get(ListenerKeys.USER_TIMEOUT)),
                config.pools().stream().map(pool -> pool.get(HealthKeys.USER_TIMEOUT)))
            .anyMatch(Duration::isPositive);
    if (transport.userTimeoutMs() != null || !hasTimeouts) {
      return Optional.empty();
    }
    return Optional.of(
        new Shortfall(
            "transport " + transport.name(),
            transport.fallbackReason().orElse("configured"),
            "user-timeout does nothing: a peer whose link is cut is detected by other limits, or late"));
  }

  private static Optional<Shortfall> ticketKeys(BridgeConfig config) {
    return config.listeners().stream()
        .filter(listener -> listener.get(TlsKeys.TICKET_KEYS).isPresent() && !OpenSsl.isAvailable())
        .findFirst()
        .map(listener ->
            new Shortfall(
                "tls.ticket-keys of listener " + listener.name(),
                "BoringSSL does not load here",
                "the JDK has keys of its own: clients resume sessions on this bridge only"));
  }

  /** Considers only configured limits: the default is more than most machines allow. */
  private static Optional<Shortfall> descriptors(long clientsMax, List<Entry> entries) {
    long wanted =
        entries.stream()
            .filter(entry -> entry.declared() == ListenerKeys.CONNECTIONS_MAX)
            .filter(entry -> !(entry.origin() instanceof Origin.Default))
            .mapToLong(entry -> Long.parseLong(entry.value()))
            .sum();
    return wanted <= clientsMax
        ? Optional.empty()
        : Optional.of(
            new Shortfall(
                "room for " + clientsMax + " clients",
                "the file descriptor limit (ulimit -n, LimitNOFILE=) is lower than connections-max "
                    + wanted,
                "accepting pauses once that many are connected"));
  }

  private static Optional<Shortfall> backlog(int acceptQueueMax, BridgeConfig config) {
    int wanted =
        config.listeners().stream()
            .mapToInt(listener -> listener.get(ListenerKeys.BACKLOG))
            .max()
            .orElse(0);
    return wanted <= acceptQueueMax
        ? Optional.empty()
        : Optional.of(
            new Shortfall(
                "backlog " + acceptQueueMax,
                "net.core.somaxconn is lower than backlog " + wanted,
                "when many clients connect at once, some have to retry"));
  }

  private static Optional<Shortfall> archive(String jvm) {
    return jvm.isEmpty() || jvm.contains("sharing")
        ? Optional.empty()
        : Optional.of(
            new Shortfall(
                "start without an AOT cache",
                "start.aot does not match Java's collector or options, or -Xshare:off is set; -Xlog:aot=warning says which",
                "starts and warm-up take about twice as long"));
  }
}
