package dev.waymark.upstreams.discovery;

import dev.waymark.config.BadValueException;
import dev.waymark.config.HostPort;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target.Srv;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.names.NameLookup;
import dev.waymark.upstreams.names.ServiceAnswer;
import dev.waymark.upstreams.names.ServiceAnswer.Service;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The SRV records of a name (RFC 2782): each is an upstream, whose name is resolved when it is
 * dialled. Confined to the control thread.
 */
final class ServiceRecords implements Records {
  private static final int WEIGHT_MAX = 1_000;

  /** The target of a single record that says that there is no such service. */
  private static final String NO_SERVICE = ".";

  private static final Comparator<Service> IN_ORDER =
      Comparator.comparingInt(Service::priority)
          .thenComparing(Service::target)
          .thenComparingInt(Service::port);

  private final Srv target;
  private final NameLookup lookup;

  ServiceRecords(Srv target, NameLookup lookup) {
    this.target = target;
    this.lookup = lookup;
  }

  @Override
  public void look(Consumer<Outcome> onOutcome) {
    lookup.resolveServices(target.name(), answer -> onOutcome.accept(outcome(answer)));
  }

  private static Outcome outcome(ServiceAnswer answer) {
    return switch (answer) {
      case ServiceAnswer.Failed(UpstreamProblem problem) -> new Outcome.Failed(problem);
      case ServiceAnswer.Found(List<Service> services, long ttlSeconds) -> {
        boolean isEnded = services.size() == 1 && services.getFirst().target().equals(NO_SERVICE);
        List<Endpoint> upstreams = isEnded ? List.of() : upstreams(services);
        yield upstreams.isEmpty() && !isEnded
            ? new Outcome.Failed(
                new UpstreamProblem(Kind.DNS_FAILED, "none of the SRV records can be used"))
            : new Outcome.Found(upstreams, ttlSeconds);
      }
    };
  }

  private static List<Endpoint> upstreams(List<Service> services) {
    Map<Integer, Integer> weightMax =
        services.stream().collect(Collectors.toMap(Service::priority, Service::weight, Math::max));
    Map<String, Endpoint> upstreams = new LinkedHashMap<>();
    for (Service service : services.stream().sorted(IN_ORDER).toList()) {
      try {
        String address = HostPort.dialled(host(service) + ":" + service.port()).text();
        int weight = weight(service, weightMax.getOrDefault(service.priority(), 1));
        upstreams.putIfAbsent(address, new Endpoint(address, weight, service.priority(), Map.of()));
      } catch (BadValueException unusable) {
        // It costs only itself.
      }
    }
    return new ArrayList<>(upstreams.values());
  }

  private static String host(Service service) {
    String name = service.target().toLowerCase(Locale.ROOT);
    return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
  }

  /** Weights go up to 65,535, and 0 stands for a small chance. */
  private static int weight(Service service, int weightMax) {
    int weight =
        weightMax <= WEIGHT_MAX
            ? service.weight()
            : (int) ((long) service.weight() * WEIGHT_MAX / weightMax);
    return Math.max(1, weight);
  }

  @Override
  public boolean isOutdated() {
    return lookup.isOutdated();
  }
}
