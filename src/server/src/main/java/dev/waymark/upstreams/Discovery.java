package dev.waymark.upstreams;

import dev.waymark.config.HealthKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.net.dial.UpstreamProblem;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
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
  private final ResolverFiles files;
  private final Consumer<List<Endpoint>> onFound;
  private final BiConsumer<String, UpstreamProblem> onFailed;

  /** What the present DNS discovery was made of. */
  private List<Object> followed = List.of();

  private @Nullable DnsDiscovery dns;

  /**
   * @param onFound gets all upstreams, whenever they are found anew
   * @param onFailed gets the name that could not be resolved, and why
   */
  Discovery(
      ControlLoop control,
      RandomGenerator random,
      ResolverFiles files,
      Consumer<List<Endpoint>> onFound,
      BiConsumer<String, UpstreamProblem> onFailed) {
    this.control = control;
    this.random = random;
    this.files = files;
    this.onFound = onFound;
    this.onFailed = onFailed;
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
        List<Object> next =
            List.of(target, config.get(HealthKeys.DNS_TTL_MIN), config.get(HealthKeys.DNS_TTL_MAX));
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
    var waits =
        new RetryWaits(
            config.get(HealthKeys.DNS_TTL_MIN), config.get(HealthKeys.DNS_TTL_MAX), random);
    dns =
        new DnsDiscovery(
            target,
            control,
            NameLookup.of(control, files, target.server()),
            waits,
            found -> onFound.accept(endpoints(target.port(), found)),
            problem -> onFailed.accept(target.host(), problem));
    dns.start();
  }

  private static List<Endpoint> endpoints(int port, List<InetAddress> found) {
    return found.stream()
        .map(ip -> new Endpoint(UpstreamAddress.format(ip, port), DNS_WEIGHT, Map.of()))
        .toList();
  }
}
