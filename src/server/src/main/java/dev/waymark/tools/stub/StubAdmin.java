package dev.waymark.tools.stub;

import dev.waymark.api.http.Authenticator;
import dev.waymark.api.http.HttpPort;
import dev.waymark.api.http.Reply;
import dev.waymark.api.http.Route;
import dev.waymark.api.http.Route.Refusal;
import dev.waymark.api.http.Route.Request;
import dev.waymark.protocol.CloseReason;
import dev.waymark.telemetry.EventLog;
import dev.waymark.upstream.PushAnswer;
import dev.waymark.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The stub's admin port: shows connections and makes the stub misbehave. Responds in JSON.
 * Thread-safe.
 */
public final class StubAdmin implements AutoCloseable {
  private static final int SEND_BYTES_MAX = 1024 * 1024;

  private static final int CONNECTIONS_MAX = 999_999;

  /** Longer than a bridge keeps a push waiting. */
  private static final long PUSH_TIMEOUT_S = 15;

  private static final Reply OK = Reply.json(200, Map.of("status", "ok"));

  /** An entry of /connections. */
  private record View(String mark, String client, int epoch, long bytes) {}

  private record PushView(
      String outcome, @Nullable String reason, long closedUnixMs, long waitingBytes) {
    static PushView of(PushAnswer answer) {
      CloseReason reason = answer.reason();
      return new PushView(
          answer.outcome().name().toLowerCase(Locale.ROOT),
          reason == null ? null : reason.label(),
          answer.closedUnixMs(),
          answer.waitingBytes());
    }
  }

  private final StubServer stub;
  private final HttpPort port;

  /** Creates the admin port without opening it. */
  public StubAdmin(InetSocketAddress address, StubServer stub, EventLog log) {
    this.stub = stub;
    this.port =
        new HttpPort(
            address,
            List.of(),
            List.of(
                Route.probe("/healthz", "200 while the process is alive", _ -> OK),
                Route.get("/connections", "the open connections; ?limit=1000", this::connections)
                    .taking("limit"),
                Route.get("/stats", "counts since the start", _ -> Reply.json(200, stub.stats())),
                Route.post("/health", "?status=SERVING|NOT_SERVING", this::health).taking("status"),
                Route.post("/drain", "sends Draining and keeps serving", _ -> drain()),
                Route.post(
                        "/refuse",
                        "?code=busy|not_here|shutting_down|none: refuses new connections",
                        this::refuse)
                    .taking("code"),
                Route.post(
                        "/send",
                        "?mark=…[&part=true]: sends the body to that client; part=true: the reply"
                            + " continues",
                        this::send)
                    .taking("mark", "part")
                    .withBody(SEND_BYTES_MAX),
                Route.post(
                        "/push",
                        "?mark=…[&epoch=…]: pushes the body to that client, whoever owns it",
                        this::push)
                    .taking("mark", "epoch")
                    .withBody(SEND_BYTES_MAX),
                Route.get(
                    "/announced",
                    "the announced connections; needs --announcements",
                    this::announced),
                Route.post("/close", "?mark=…&code=DONE|ABORT|…", this::close)
                    .taking("mark", "code")),
            Authenticator.everybody("stub"),
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

  private Reply connections(Request request) throws Refusal {
    String limit = request.query().getOrDefault("limit", Integer.toString(CONNECTIONS_MAX));
    if (!limit.matches("[0-9]{1,6}")) {
      throw new Refusal(400, "limit must be a number from 0 to " + CONNECTIONS_MAX);
    }
    List<View> open =
        stub.connections().stream()
            .limit(Integer.parseInt(limit))
            .map(one ->
                new View(one.mark(), one.open().clientAddress(), one.epoch(), one.receivedOffset()))
            .toList();
    return Reply.json(200, Map.of("connections", open));
  }

  private Reply health(Request request) throws Refusal {
    String status = request.demand("status");
    boolean isServing =
        switch (status.toUpperCase(Locale.ROOT)) {
          case "SERVING" -> true;
          case "NOT_SERVING" -> false;
          default ->
              throw new Refusal(400, "status must be SERVING or NOT_SERVING, not '" + status + "'");
        };
    stub.setServing(isServing);
    return OK;
  }

  private Reply drain() {
    stub.drain();
    return OK;
  }

  private Reply refuse(Request request) throws Refusal {
    try {
      stub.refuse(RefusalText.parse(request.demand("code")));
    } catch (IllegalArgumentException unknown) {
      throw new Refusal(400, "code: " + unknown.getMessage());
    }
    return OK;
  }

  private Reply send(Request request) throws Refusal {
    UpstreamConnection connection = connection(request);
    try {
      if ("true".equalsIgnoreCase(request.query().get("part"))) {
        connection.send(Unpooled.wrappedBuffer(request.body()));
        return OK;
      }
      // The bytes answer no request, so they consume nothing. But they are complete, not the start
      // of a reply.
      ByteBuf rest = Unpooled.wrappedBuffer(request.body());
      while (rest.readableBytes() > connection.commitBytesMax()) {
        connection.commit(rest.readRetainedSlice(connection.commitBytesMax()), 0);
      }
      connection.commit(rest, 0);
    } catch (IllegalStateException refused) {
      throw new Refusal(409, String.valueOf(refused.getMessage()));
    }
    return OK;
  }

  private Reply push(Request request) throws Refusal {
    String mark = request.demand("mark");
    String epoch = request.query().get("epoch");
    try {
      PushAnswer answer =
          stub.push(mark, request.body(), epoch == null ? null : Integer.parseUnsignedInt(epoch))
              .toCompletableFuture()
              .get(PUSH_TIMEOUT_S, TimeUnit.SECONDS);
      return Reply.json(200, PushView.of(answer));
    } catch (NumberFormatException e) {
      throw new Refusal(400, "epoch must be a number, not '" + epoch + "'");
    } catch (IllegalArgumentException e) {
      throw new Refusal(413, String.valueOf(e.getMessage()));
    } catch (TimeoutException e) {
      throw new Refusal(504, "the bridge did not answer within " + PUSH_TIMEOUT_S + " s");
    } catch (InterruptedException | ExecutionException e) {
      throw new Refusal(503, "the stub is stopping");
    }
  }

  private Reply announced(Request request) throws Refusal {
    AnnouncedMarks announced = stub.announced();
    if (announced == null) {
      throw new Refusal(404, "announcements are off; start the stub with --announcements");
    }
    return Reply.json(
        200, Map.of("syncedLanes", announced.syncedLanes(), "connections", announced.all()));
  }

  private Reply close(Request request) throws Refusal {
    UpstreamConnection connection = connection(request);
    String code = request.query().getOrDefault("code", CloseReason.DONE.name());
    List<CloseReason> allowed =
        Arrays.stream(CloseReason.values()).filter(one -> !one.endsAttachmentOnly()).toList();
    CloseReason reason =
        allowed.stream()
            .filter(one -> one.name().equalsIgnoreCase(code))
            .findFirst()
            .orElseThrow(
                () -> new Refusal(400, "code must be one of " + allowed + ", not '" + code + "'"));
    connection.close(reason);
    return OK;
  }

  private UpstreamConnection connection(Request request) throws Refusal {
    String mark = request.demand("mark");
    UpstreamConnection connection = stub.connection(mark);
    if (connection == null) {
      throw new Refusal(
          404, "no connection with mark '" + mark + "' is attached; see /connections");
    }
    return connection;
  }
}
