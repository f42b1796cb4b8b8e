package dev.waymark.bridge;

import dev.waymark.config.BridgeConfig;
import dev.waymark.config.HealthKeys;
import dev.waymark.config.ListenerKeys;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.LoadedConfig.Entry;
import dev.waymark.config.Origin;
import dev.waymark.net.NettyTransport;
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
 * Something that works here, but less well than configured or than it could: told once at the
 * start, since nothing else would show it. Immutable.
 *
 * @param what is used or holds in its place
 * @param effect what is lost by it
 */
record Shortfall(String what, String reason, String effect) {
  /**
   * What a bridge finds.
   *
   * @param clientsMax the clients that the limit of descriptors has room for
   * @param acceptQueueMax the kernel's bound of every backlog
   * @param jvm what the JVM says of itself, {@code java.vm.info}
   */
  record Surroundings(NettyTransport transport, long clientsMax, int acceptQueueMax, String jvm) {
    private static final Path SOMAXCONN = Path.of("/proc/sys/net/core/somaxconn");

    static Surroundings here(NettyTransport transport, long clientsMax) {
      return new Surroundings(
          transport, clientsMax, acceptQueue(), System.getProperty("java.vm.info", ""));
    }

    /** Without a bound where the system does not tell. */
    private static int acceptQueue() {
      // In one read, which readString does not do: the kernel gives such a file at once or cut off.
      try (BufferedReader file = Files.newBufferedReader(SOMAXCONN)) {
        return Integer.parseInt(String.valueOf(file.readLine()).strip());
      } catch (IOException | NumberFormatException unknown) {
        return Integer.MAX_VALUE;
      }
    }
  }

  static List<Shortfall> of(Surroundings here, LoadedConfig loaded) {
    List<Shortfall> all = new ArrayList<>();
    transport(here.transport, loaded.config()).ifPresent(all::add);
    descriptors(here.clientsMax, loaded.entries()).ifPresent(all::add);
    backlog(here.acceptQueueMax, loaded.config()).ifPresent(all::add);
    archive(here.jvm).ifPresent(all::add);
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
            transport.fallbackReason().orElse("it was asked for"),
            "user-timeout does nothing: a peer whose link is cut is noticed by other limits, or late"));
  }

  /** Only what somebody asked for: the default is more than most machines grant. */
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
                "the limit of descriptors (ulimit -n, LimitNOFILE=) is lower than connections-max "
                    + wanted,
                "accepting pauses when they are there"));
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
                "when many clients connect at once, some have to try again"));
  }

  private static Optional<Shortfall> archive(String jvm) {
    return jvm.isEmpty() || jvm.contains("sharing")
        ? Optional.empty()
        : Optional.of(
            new Shortfall(
                "start without an archive of classes",
                "Java's collector or options do not fit start.aot, or -Xshare:off; -Xlog:aot=warning says which",
                "starts and warm-up take about twice as long"));
  }
}
