package dev.waymark.config;

import java.time.Duration;
import java.util.Map;

/**
 * One service that an agent minds. Immutable.
 *
 * @param service the name under which it is registered
 * @param address where it serves: host:port or unix:/path
 * @param weight its share of new work, 1 to 1000
 * @param priority 0 to 100; it gets work only while no instance with a lower number serves
 * @param interval between the beginnings of two checks
 * @param timeout of a check
 * @param rise how many checks in a row must pass before a service that failed is healthy
 * @param fall how many checks in a row must fail before a healthy service is not
 * @param load where its load comes from
 */
public record AgentService(
    String service,
    String address,
    int weight,
    int priority,
    Map<String, String> labels,
    ServiceCheck check,
    Duration interval,
    Duration timeout,
    int rise,
    int fall,
    Load load) {
  /** Where an agent gets the load that it registers with a service. */
  public enum Load {
    /** Nowhere. */
    NONE,
    /** From the service's reports: xds.service.orca.v3.OpenRcaService. */
    ORCA
  }

  public AgentService {
    labels = Map.copyOf(labels);
  }

  /** For example, "echo at 10.0.0.7:4770". */
  public String name() {
    return service + " at " + address;
  }
}
