package dev.waymark.tools.agent;

import dev.waymark.api.http.Authenticator;
import dev.waymark.api.http.HttpPort;
import dev.waymark.api.http.Reply;
import dev.waymark.api.http.Route;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import dev.waymark.telemetry.PrometheusText;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The agent's admin port. Thread-safe. */
public final class AgentAdmin implements AutoCloseable {
  private static final int UNAVAILABLE = 503;
  private static final Reply OK = Reply.json(200, Map.of("status", "ok"));

  private final Agent agent;
  private final Metrics metrics;
  private final HttpPort port;

  /** Creates the admin port without opening it. */
  public AgentAdmin(InetSocketAddress address, Agent agent, Metrics metrics, EventLog log) {
    this.agent = agent;
    this.metrics = metrics;
    this.port =
        new HttpPort(
            address,
            List.of(),
            List.of(
                Route.probe("/healthz", "200 while the process is alive", _ -> OK),
                Route.probe(
                    "/readyz",
                    "200 while a registry confirms the registration, else 503 with the reasons",
                    _ -> ready()),
                Route.get("/metrics", "metrics for Prometheus", _ -> metrics()),
                Route.get(
                    "/services", "the services, and where they are registered", _ -> services())),
            Authenticator.everybody("agent"),
            log);
  }

  /**
   * Opens the port.
   *
   * @throws dev.waymark.api.http.AddressInUse if the address cannot be bound
   */
  public void start() {
    port.start();
  }

  /** The bound address. */
  public InetSocketAddress address() {
    return port.address();
  }

  @Override
  public void close() {
    port.stop();
  }

  private Reply ready() {
    if (agent.registrars().stream().anyMatch(each -> each.status().isRegistered())) {
      return OK;
    }
    return Reply.error(
        UNAVAILABLE,
        agent.registrars().stream()
            .map(each -> ServiceViews.registry(each.status()))
            .collect(Collectors.joining("; ")));
  }

  private Reply metrics() {
    return new Reply(200, PrometheusText.CONTENT_TYPE, metrics.prometheusText());
  }

  private Reply services() {
    return Reply.json(200, Map.of("services", ServiceViews.of(agent)));
  }
}
