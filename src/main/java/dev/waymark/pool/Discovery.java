package dev.waymark.pool;

import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Finds the upstreams of a pool's target: a list is what it is, a name is asked for. Confined to
 * the control thread.
 */
final class Discovery {
  private static final int DNS_WEIGHT = 1;

  private final ControlLoop control;
  private final RandomGenerator random;
  private final PoolEvents events;
  private final Consumer<List<Endpoint>> onFound;

  /** What the present DNS discovery was made of. */
  private List<Object> followed = List.of();

  private @Nullable DnsDiscovery dns;

  /**
   * @param onFound gets all upstreams, whenever they are found anew
   */
  Discovery(
      ControlLoop control,
      RandomGenerator random,
      PoolEvents events,
      Consumer<List<Endpoint>> onFound) {
    this.control = control;
    this.random = random;
    this.events = events;
    this.onFound = onFound;
  }

  /**
   * This target holds from now on. What a list names is found at once; what an earlier target found
   * stays until a name's first answer.
   */
  void follow(PoolConfig config) {
    switch (config.target()) {
      case Target.Fixed(List<Endpoint> endpoints) -> {
        close();
        onFound.accept(endpoints);
      }
      case Target.Dns target -> {
        List<Object> next = List.of(target, config.dnsTtlMin(), config.dnsTtlMax());
        if (!next.equals(followed)) {
          close();
          followed = next;
          start(config, target);
        }
      }
    }
  }

  /** Asks again at once, at most once a second. */
  void askSoon() {
    if (dns != null) {
      dns.askSoon();
    }
  }

  void close() {
    followed = List.of();
    if (dns != null) {
      dns.close();
      dns = null;
    }
  }

  private void start(PoolConfig config, Target.Dns target) {
    var backoff = new Backoff(config.dnsTtlMin(), config.dnsTtlMax(), random);
    try {
      dns =
          new DnsDiscovery(
              target,
              control,
              backoff,
              found -> onFound.accept(endpoints(target.port(), found)),
              reason -> events.onDiscoveryFailed(config.name(), target.host(), reason));
    } catch (IllegalArgumentException badServer) {
      events.onDiscoveryFailed(
          config.name(), target.host(), String.valueOf(badServer.getMessage()));
      return;
    }
    dns.start();
  }

  private static List<Endpoint> endpoints(int port, List<InetAddress> found) {
    return found.stream()
        .map(ip -> new Endpoint(UpstreamAddress.format(ip, port), DNS_WEIGHT, Map.of()))
        .toList();
  }
}
