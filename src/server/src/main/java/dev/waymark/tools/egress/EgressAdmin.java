package dev.waymark.tools.egress;

import dev.waymark.api.http.Authenticator;
import dev.waymark.api.http.HttpPort;
import dev.waymark.api.http.Reply;
import dev.waymark.api.http.Route;
import dev.waymark.api.http.Route.Refusal;
import dev.waymark.api.http.Route.Request;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import dev.waymark.telemetry.PrometheusText;
import dev.waymark.upstream.UpstreamConnection;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;

/** The egress's admin port. Thread-safe. */
public final class EgressAdmin implements AutoCloseable {
  private static final int CONNECTIONS_MAX = 999_999;
  private static final int UNAVAILABLE = 503;
  private static final Reply OK = Reply.json(200, Map.of("status", "ok"));

  /** An entry of /connections. */
  private record View(String mark, String client, long bytes) {
    static View of(UpstreamConnection one) {
      return new View(one.mark(), one.open().clientAddress(), one.receivedOffset());
    }
  }

  private final EgressServer egress;
  private final Metrics metrics;
  private final HttpPort port;

  /** Creates the admin port without opening it. */
  public EgressAdmin(
      InetSocketAddress address, EgressServer egress, Metrics metrics, EventLog log) {
    this.egress = egress;
    this.metrics = metrics;
    this.port =
        new HttpPort(
            address,
            List.of(),
            List.of(
                Route.probe("/healthz", "200 while the process is alive", _ -> OK),
                Route.probe(
                    "/readyz",
                    "200 while the server is there, else 503 with the reason",
                    _ -> ready()),
                Route.get("/metrics", "metrics for Prometheus", _ -> metrics()),
                Route.get("/connections", "the open connections; ?limit=1000", this::connections)
                    .taking("limit")),
            Authenticator.everybody("egress"),
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
    return egress
        .serverProblem()
        .map(why -> Reply.error(UNAVAILABLE, "the server cannot be reached: " + why))
        .orElse(OK);
  }

  private Reply metrics() {
    return new Reply(200, PrometheusText.CONTENT_TYPE, metrics.prometheusText());
  }

  private Reply connections(Request request) throws Refusal {
    String limit = request.query().getOrDefault("limit", Integer.toString(CONNECTIONS_MAX));
    if (!limit.matches("[0-9]{1,6}")) {
      throw new Refusal(400, "limit must be a number from 0 to " + CONNECTIONS_MAX);
    }
    List<View> open =
        egress.connections().stream().limit(Integer.parseInt(limit)).map(View::of).toList();
    return Reply.json(200, Map.of("connections", open));
  }
}
