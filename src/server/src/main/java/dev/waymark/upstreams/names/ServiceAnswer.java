package dev.waymark.upstreams.names;

import dev.waymark.net.dial.UpstreamProblem;
import java.util.List;

/** The result of asking for the SRV records of a name. Immutable. */
public sealed interface ServiceAnswer {
  /**
   * A record (RFC 2782).
   *
   * @param priority 0 to 65,535; lower ones come first
   * @param weight 0 to 65,535
   * @param target a name that ends with a dot
   */
  record Service(int priority, int weight, int port, String target) {}

  /**
   * There are some.
   *
   * @param ttlSeconds the smallest TTL
   */
  record Found(List<Service> services, long ttlSeconds) implements ServiceAnswer {
    public Found {
      services = List.copyOf(services);
    }
  }

  /** No server answered, or there is none. */
  record Failed(UpstreamProblem problem) implements ServiceAnswer {}
}
