package dev.waymark.tools.directory;

import dev.waymark.api.http.HttpPort;
import dev.waymark.api.http.Reply;
import dev.waymark.api.http.Route;
import dev.waymark.api.http.Route.Refusal;
import dev.waymark.api.http.Route.Request;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import dev.waymark.telemetry.PrometheusText;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** The directory's admin port. Thread-safe. */
public final class DirectoryAdmin implements AutoCloseable {
  private static final int UNAVAILABLE = 503;
  private static final Reply OK = Reply.json(200, Map.of("status", "ok"));

  private final DirectoryServer directory;
  private final Metrics metrics;
  private final HttpPort port;

  /** Creates the admin port without opening it. */
  public DirectoryAdmin(
      InetSocketAddress address, DirectoryServer directory, Metrics metrics, EventLog log) {
    this.directory = directory;
    this.metrics = metrics;
    this.port =
        new HttpPort(
            address,
            List.of(),
            List.of(
                Route.probe("/healthz", "200 while the process is alive", _ -> OK),
                Route.probe("/readyz", "200 while the directory serves", _ -> OK),
                Route.get("/metrics", "metrics for Prometheus", _ -> metrics()).open(),
                Route.get(
                    "/services",
                    "the services, and how many instances each has",
                    _ -> answer("services", DirectoryViews::services)),
                Route.get("/instances", "the instances of ?service=NAME", this::instances)
                    .taking("service"),
                Route.get(
                    "/nodes",
                    "who has registered instances, and who has become unreachable",
                    _ -> answer("nodes", DirectoryViews::nodes)),
                Route.get(
                    "/watchers",
                    "who watches, and at which version",
                    _ -> answer("watchers", DirectoryViews::watchers)),
                Route.get("/xds", "the streams of xDS clients, and what each refused", _ -> xds()),
                Route.get("/directory", "this directory: epoch, version, uptime", _ -> self())),
            directory.access(),
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

  private Reply metrics() {
    return new Reply(200, PrometheusText.CONTENT_TYPE, metrics.prometheusText());
  }

  private Reply instances(Request request) throws Refusal {
    String service = request.demand("service");
    return answer("instances", views -> views.instances(service));
  }

  private Reply xds() throws Refusal {
    return ask(() -> Reply.json(200, Map.of("streams", directory.xdsStreams())));
  }

  private Reply self() throws Refusal {
    Map<String, Object> self = new LinkedHashMap<>();
    return ask(() -> {
      long now = directory.now();
      self.put("epoch", Long.toHexString(directory.facts().epoch()));
      self.put("version", directory.table().log().version());
      self.put("uptimeMs", directory.facts().response(now).getUptimeMs());
      self.put("ttlMs", directory.facts().ttl().toMillis());
      self.put("isSettled", directory.facts().isSettled(now));
      self.put("storeProblem", directory.storeProblem());
      return Reply.json(200, self);
    });
  }

  private Reply answer(String name, Function<DirectoryViews, List<?>> part) throws Refusal {
    return ask(() ->
        Reply.json(
            200,
            Map.of(
                name,
                part.apply(
                    new DirectoryViews(
                        directory.table(), directory.watchers(), directory.now())))));
  }

  private Reply ask(Callable<Reply> question) throws Refusal {
    try {
      return directory.ask(question);
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
      throw new Refusal(UNAVAILABLE, "the directory is stopping");
    } catch (TimeoutException late) {
      throw new Refusal(UNAVAILABLE, "the directory does not answer in time");
    } catch (ExecutionException bug) {
      throw new IllegalStateException(bug.getCause());
    }
  }
}
