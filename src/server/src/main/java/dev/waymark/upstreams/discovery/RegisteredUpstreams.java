package dev.waymark.upstreams.discovery;

import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.registry.Catalog;
import dev.waymark.registry.Instance;
import dev.waymark.registry.wire.WatchedService;
import dev.waymark.upstreams.control.Since;
import dev.waymark.upstreams.discovery.SourceReport.Standing;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a pool makes of a service in a directory. Immutable.
 *
 * @param upstreams in the order of their addresses
 * @param problem what is worth telling the operator; empty if nothing
 */
record RegisteredUpstreams(List<Endpoint> upstreams, Optional<UpstreamProblem> problem) {
  /** The healthy instances; those that are damped only if there are no others. */
  static RegisteredUpstreams of(String service, WatchedService watched) {
    List<Catalog.Entry> healthy =
        watched.instances().values().stream()
            .filter(entry -> entry.instance().health() == Instance.Health.HEALTHY)
            .toList();
    List<Catalog.Entry> stable = healthy.stream().filter(Catalog.Entry::isUsable).toList();
    List<Endpoint> upstreams =
        (stable.isEmpty() ? healthy : stable)
            .stream()
                .map(entry -> endpoint(entry.instance()))
                .sorted(Comparator.comparing(Endpoint::address))
                .toList();
    return new RegisteredUpstreams(upstreams, problem(service, watched, upstreams.isEmpty()));
  }

  /**
   * What is known of each instance, in the order of their addresses.
   *
   * @param since when they have stood as {@link #standings} says
   */
  static List<SourceReport.Entry> entries(WatchedService watched, Since<Standing> since) {
    boolean isStableKnown = watched.instances().values().stream().anyMatch(Catalog.Entry::isUsable);
    return watched.instances().values().stream()
        .map(entry ->
            new SourceReport.Entry(
                endpoint(entry.instance()),
                standing(entry, watched.isKept(entry.instance().address())),
                withheld(entry, isStableKnown),
                since.of(entry.instance().address())))
        .sorted(Comparator.comparing(entry -> entry.endpoint().address()))
        .toList();
  }

  /** How the instances stand, by address, whether they are kept or not. */
  static Map<String, Standing> standings(WatchedService watched) {
    Map<String, Standing> standings = new HashMap<>();
    watched.instances().forEach((address, entry) -> standings.put(address, standing(entry, false)));
    return standings;
  }

  private static Standing standing(Catalog.Entry entry, boolean isKept) {
    String health = entry.instance().health().name().toLowerCase(Locale.ROOT);
    return new Standing(health, entry.isDamped(), isKept);
  }

  private static String withheld(Catalog.Entry entry, boolean isStableKnown) {
    return switch (entry.instance().health()) {
      case DRAINING -> "it is registered as draining";
      case UNHEALTHY -> "it is registered as unhealthy";
      case HEALTHY ->
          entry.isDamped() && isStableKnown
              ? "it comes and goes too often: the directory damps it until it has been stable"
              : "";
    };
  }

  private static Endpoint endpoint(Instance instance) {
    return new Endpoint(
        instance.address(), instance.weight(), instance.priority(), instance.labels());
  }

  private static Optional<UpstreamProblem> problem(
      String service, WatchedService watched, boolean isEmpty) {
    if (watched.badInstance().isPresent()) {
      return Optional.of(new UpstreamProblem(Kind.REGISTRY_DATA, watched.badInstance().get()));
    }
    if (watched.keptCount() > 0) {
      return Optional.of(
          new UpstreamProblem(
              Kind.REGISTRY_DOUBTED,
              "the directory has just started and does not know "
                  + watched.keptCount()
                  + " instances yet; they are kept until it has been running for its TTL"));
    }
    if (!isEmpty) {
      return Optional.empty();
    }
    int count = watched.instances().size();
    return Optional.of(
        new UpstreamProblem(
            Kind.NO_ADDRESS,
            count == 0
                ? "no instance of " + service + " is registered in the directory"
                : "none of the instances of "
                    + service
                    + " that are registered in the directory is healthy (there are "
                    + count
                    + ")"));
  }
}
