package dev.waymark.bridge;

import dev.waymark.api.PoolStatus;
import dev.waymark.config.ListenerConfig;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.net.listener.ListenerPort;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The line on standard output that says that the bridge is ready. For people, and for {@code
 * train}, which parses the first address. Immutable.
 */
public final class ReadyLine {
  private final Bridge bridge;
  private final LoadedConfig loaded;
  private final Map<String, PoolStatus> pools;

  /** Creates the line for a bridge that has started with this configuration. */
  public ReadyLine(Bridge bridge, LoadedConfig loaded) {
    this.bridge = bridge;
    this.loaded = loaded;
    this.pools =
        bridge.pools().statuses().stream()
            .collect(Collectors.toMap(PoolStatus::pool, Function.identity()));
  }

  /** The line, without a line terminator. */
  public String text() {
    String listening =
        bridge.ports().stream()
            .map(port -> ListenerPort.text(port.address()))
            .collect(Collectors.joining(", "));
    return "waymark bridge: listening on "
        + listening
        + ", with "
        + upstreamsText()
        + ", admin on "
        + adminUrl()
        + "; "
        + advice();
  }

  private String adminUrl() {
    boolean isTls = loaded.config().admin().tls().isPresent();
    return (isTls ? "https://" : "http://") + bridge.adminAddress();
  }

  private String upstreamsText() {
    if (loaded.isEmbeddedUpstream()) {
      return "an embedded echo upstream on " + embeddedAddress();
    }
    return "pools "
        + loaded.config().pools().stream()
            .map(pool -> poolText(pool.name()))
            .collect(Collectors.joining(", "));
  }

  private String embeddedAddress() {
    return loaded.config().pools().getFirst().target()
            instanceof Target.Fixed(List<Endpoint> upstreams)
        ? upstreams.getFirst().address()
        : "";
  }

  private String poolText(String pool) {
    PoolStatus status = pools.get(pool);
    if (status == null || status.upstreams() == 0) {
      return pool + " (no upstream found)";
    }
    return pool + " (" + status.serving() + " of " + status.upstreams() + " upstreams serve)";
  }

  /** Suggests a port to try only if its pool can answer. */
  private String advice() {
    return servedPort()
        .map(this::tryIt)
        .orElseGet(() -> "no upstream is serving yet; see " + adminUrl() + "/upstreams");
  }

  private String tryIt(ListenerPort port) {
    InetSocketAddress address = port.address();
    if (!listenerOf(port).map(ListenerConfig::isTls).orElse(false)) {
      return "try it: nc " + host(address) + " " + address.getPort();
    }
    String target =
        address.getAddress().isAnyLocalAddress()
            ? host(address) + ":" + address.getPort()
            : ListenerPort.text(address);
    return "try it: openssl s_client -quiet -connect " + target;
  }

  private Optional<ListenerPort> servedPort() {
    return bridge.ports().stream()
        .filter(port -> serving(listenerOf(port).map(ListenerConfig::pool).orElse("")) > 0)
        .findFirst();
  }

  private Optional<ListenerConfig> listenerOf(ListenerPort port) {
    return loaded.config().listeners().stream()
        .filter(listener -> listener.name().equals(port.listener()))
        .findFirst();
  }

  private int serving(String pool) {
    PoolStatus status = pools.get(pool);
    return status == null ? 0 : status.serving();
  }

  /** The host as {@code nc} expects it: an IPv6 address without brackets, but with its zone. */
  private static String host(InetSocketAddress address) {
    if (address.getAddress().isAnyLocalAddress()) {
      return "127.0.0.1";
    }
    String text = ListenerPort.text(address);
    String host = text.substring(0, text.lastIndexOf(':'));
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }
}
