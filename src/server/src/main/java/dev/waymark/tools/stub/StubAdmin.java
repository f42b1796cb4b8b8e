package dev.waymark.tools.stub;

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
 * The stub's admin port: what is connected, and how to make the stub misbehave. Answers are JSON.
 * Thread-safe.
 */
public final class StubAdmin implements AutoCloseable {
  private static final int SEND_BYTES_MAX = 1024 * 1024;

  private static final int CONNECTIONS_MAX = 999_999;

  /** Longer than bridges let a push wait. */
  private static final long PUSH_TIMEOUT_S = 15;

  private static final Reply OK = Reply.json(200, Map.of("status", "ok"));

  /** One line of /connections. */
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

  /** A port that is not open yet. */
  public StubAdmin(InetSocketAddress address, StubServer stub, EventLog log) {
    this.stub = stub;
    this.port =
        new HttpPort(
            address,
            List.of(),
            List.of(
                Route.probe("/healthz", "200 while the process lives", _ -> OK),
                Route.get("/connections", "those open now; ?limit=1000", this::connections)
                    .taking("limit"),
                Route.get("/stats", "counts since the start", _ -> Reply.json(200, stub.stats())),
                Route.post("/health", "?status=SERVING|NOT_SERVING", this::health).taking("status"),
                Route.post("/drain", "announces Draining, stays up", _ -> drain()),
                Route.post(
                        "/refuse", "?code=busy|not_here|shutting_down|none: new ones", this::refuse)
                    .taking("code"),
                Route.post(
                        "/send",
                        "?mark=…[&part=true], the body goes to that client; part: of a reply that"
                            + " goes on",
                        this::send)
                    .taking("mark", "part")
                    .withBody(SEND_BYTES_MAX),
                Route.post(
                        "/push",
                        "?mark=…[&epoch=…], the body goes to that client, whoever owns it",
                        this::push)
                    .taking("mark", "epoch")
                    .withBody(SEND_BYTES_MAX),
                Route.get("/announced", "those announced, with --announcements", this::announced),
                Route.post("/close", "?mark=…&code=DONE|ABORT|…", this::close)
                    .taking("mark", "code")),
            log);
  }

  /**
   * Opens it.
   *
   * @throws dev.waymark.api.http.AddressInUse where the address cannot be had
   */
  public void start() {
    port.start();
  }

  /** Where it listens. */
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
      throw new Refusal(400, "limit is a number from 0 to " + CONNECTIONS_MAX);
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
              throw new Refusal(400, "status is SERVING or NOT_SERVING, not '" + status + "'");
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
      // It answers nothing, so it consumes nothing; but it is complete, not the start of a reply.
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
      throw new Refusal(400, "epoch is a number, not '" + epoch + "'");
    } catch (IllegalArgumentException e) {
      throw new Refusal(413, String.valueOf(e.getMessage()));
    } catch (TimeoutException e) {
      throw new Refusal(504, "the bridge did not answer within " + PUSH_TIMEOUT_S + " s");
    } catch (InterruptedException | ExecutionException e) {
      throw new Refusal(503, "the stub stops");
    }
  }

  private Reply announced(Request request) throws Refusal {
    AnnouncedMarks announced = stub.announced();
    if (announced == null) {
      throw new Refusal(404, "nothing is announced; start the stub with --announcements");
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
                () -> new Refusal(400, "code is one of " + allowed + ", not '" + code + "'"));
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
