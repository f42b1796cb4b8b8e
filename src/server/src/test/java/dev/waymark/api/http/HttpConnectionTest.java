package dev.waymark.api.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.telemetry.EventLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.stream.ChunkedWriteHandler;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How long the admin port waits for its peers, not counting its own standstills. */
final class HttpConnectionTest {
  private static final String HALF_A_HEAD =
      "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nAuthorization: reader\r\n";
  private static final String REST_OF_HEAD = "\r\n";

  private long nowMs;
  private final HttpPort httpPort =
      new HttpPort(
          new InetSocketAddress(0),
          List.of(),
          List.of(
              Route.get("/state", "state", request -> Reply.text(request.sender().name())),
              Route.probe("/probe", "a probe", _ -> Reply.text("ok")),
              Route.post("/change", "changes", request -> Reply.text(request.sender().name()))
                  .withBody(10)),
          HttpConnectionTest::admit,
          new EventLog(() -> 0));
  private final HttpPort.Shared port =
      httpPort.new Shared(Runnable::run, Runnable::run, () -> nowMs * 1_000_000, null);
  private final EmbeddedChannel channel =
      new EmbeddedChannel(new HttpServerCodec(HttpPort.limits()), new ChunkedWriteHandler());

  HttpConnectionTest() {
    port.start();
    channel.pipeline().addLast(new HttpConnection(port, channel, null));
    channel.pipeline().fireChannelActive();
  }

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  /** The text of the only header, but that of a known sender. */
  private static Authentication admit(Authenticator.Credentials shown) {
    return switch (String.join("", shown.authorization())) {
      case "reader" -> new Sender("reader", false);
      case "operator" -> new Sender("operator", true);
      case "" -> Denial.NO_CREDENTIALS;
      default -> Denial.UNKNOWN_TOKEN;
    };
  }

  private static String request(String line, String authorization) {
    String credentials = authorization.isEmpty() ? "" : "Authorization: " + authorization + "\r\n";
    return line + " HTTP/1.1\r\nHost: localhost\r\n" + credentials + "\r\n";
  }

  private String reply() {
    channel.runPendingTasks();
    StringBuilder text = new StringBuilder();
    for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
      text.append(part.toString(StandardCharsets.US_ASCII));
      part.release();
    }
    return text.toString();
  }

  private void send(String text) {
    channel.writeInbound(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII));
  }

  private void passMs(long ms) {
    for (long endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs += 100;
      port.tick();
    }
  }

  private void standStillMs(long ms) {
    nowMs += ms;
    port.tick();
  }

  private void assertReply(String status) {
    ByteBuf reply = channel.readOutbound();
    assertThat(reply).isNotNull();
    assertThat(reply.toString(StandardCharsets.US_ASCII)).startsWith("HTTP/1.1 " + status);
    reply.release();
  }

  @Test
  void route_takesTheRoleThatItsMethodNeeds() {
    send(request("GET /state", "reader"));
    assertThat(reply()).startsWith("HTTP/1.1 200 ").endsWith("reader");
    send(request("POST /change", "operator"));
    assertThat(reply()).startsWith("HTTP/1.1 200 ").endsWith("operator");
    send(request("GET /probe", "nobody"));
    assertThat(reply()).as("open to everybody").startsWith("HTTP/1.1 200 ").endsWith("ok");
  }

  @Test
  void refusedCredentials_areAnsweredLaterAndCounted() {
    send(request("GET /state", "guess"));
    passMs(900);
    assertThat(reply()).isEmpty();
    passMs(200);
    assertThat(reply())
        .startsWith("HTTP/1.1 401 ")
        .containsIgnoringCase(
            "\r\nwww-authenticate: Bearer realm=\"waymark\", error=\"invalid_token\"\r\n")
        .doesNotContain("guess");
    send(request("POST /change", "reader"));
    passMs(1_100);
    assertThat(reply()).startsWith("HTTP/1.1 403 ").contains("insufficient_scope", "operate");
    send(request("GET /", ""));
    passMs(1_100);
    assertThat(reply()).startsWith("HTTP/1.1 401 ").contains("Authorization: Bearer TOKEN");
    send(request("GET /state", "reader"));
    assertThat(reply()).as("the connection goes on").startsWith("HTTP/1.1 200 ");
    assertThat(httpPort.denied(Denial.UNKNOWN_TOKEN)).isEqualTo(1);
    assertThat(httpPort.denied(Denial.ROLE)).isEqualTo(1);
    assertThat(httpPort.denied(Denial.NO_CREDENTIALS)).isEqualTo(1);
  }

  @Test
  void withoutCredentials_nobodyLearnsWhatPathsAndParametersThereAre() {
    for (String request : List.of("GET /none", "GET /state?none=1", "DELETE /state")) {
      send(request(request, "guess"));
      passMs(1_100);
      assertThat(reply()).as(request).startsWith("HTTP/1.1 401 ").doesNotContain("none");
    }
    send(request("GET /none", "reader"));
    assertThat(reply()).startsWith("HTTP/1.1 404 ");
    send(request("GET /state?none=1", "reader"));
    assertThat(reply()).startsWith("HTTP/1.1 400 ").contains("unknown parameter");
  }

  @Test
  void refusedCredentials_waitingForTheirAnswer_makeRoomFirst() {
    send(request("GET /state", "guess"));
    HttpConnections connections = port.connections();
    for (int i = 0; i < 256; i++) {
      connections.enter(new HttpConnection(port, new EmbeddedChannel(), null));
    }
    assertThat(channel.isOpen()).isFalse();
    assertThat(httpPort.evicted()).isEqualTo(1);
  }

  @Test
  void refusedCredentials_withABody_areNotReadAndEndTheConnection() {
    send("POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
    passMs(1_100);
    assertThat(reply()).startsWith("HTTP/1.1 401 ").containsIgnoringCase("connection: close");
  }

  @Test
  void request_incomplete_isClosedAfter5s() {
    send(HALF_A_HEAD);
    passMs(4_900);
    assertThat(channel.isOpen()).isTrue();
    passMs(200);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void headers_byteByByte_areClosedAfter5s() {
    send("GET /state HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    for (int i = 0; i < 49; i++) {
      passMs(100);
      send("x");
    }
    assertThat(channel.isOpen()).isTrue();
    passMs(200);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void body_byteByByte_isClosedAfter5s() {
    send("POST /change HTTP/1.1\r\nHost: localhost\r\nAuthorization: operator\r\n");
    send("Content-Length: 10\r\n\r\n");
    for (int i = 0; i < 5; i++) {
      passMs(900);
      send("x");
    }
    assertThat(channel.isOpen()).isTrue();
    passMs(600);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void request_thatIsTooLarge_isRefusedWithItsStatus() {
    for (String[] row :
        new String[][] {
          {"414", "GET /" + "x".repeat(9_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"},
          {"431", "GET / HTTP/1.1\r\nX-Huge: " + "x".repeat(17_000) + "\r\n\r\n"},
          {"431", "GET / HTTP/1.1\r\n" + "X-Many: x\r\n".repeat(2_000) + "\r\n"},
          {
            "413",
            "POST /change HTTP/1.1\r\nHost: localhost\r\nAuthorization: operator\r\nContent-Length: 11\r\n\r\n"
          },
        }) {
      EmbeddedChannel own =
          new EmbeddedChannel(new HttpServerCodec(HttpPort.limits()), new ChunkedWriteHandler());
      own.pipeline().addLast(new HttpConnection(port, own, null));
      own.pipeline().fireChannelActive();
      own.writeInbound(Unpooled.copiedBuffer(row[1], StandardCharsets.US_ASCII));
      ByteBuf reply = own.readOutbound();
      assertThat(reply).as(row[0]).isNotNull();
      assertThat(reply.toString(StandardCharsets.US_ASCII))
          .containsPattern("^HTTP/1\\.[01] " + row[0]);
      reply.release();
      own.finishAndReleaseAll();
    }
  }

  @Test
  void request_completedAfterStandstill_isAnswered() {
    passMs(1_000);
    send(HALF_A_HEAD);
    standStillMs(35_000);
    passMs(400);
    send(REST_OF_HEAD);
    assertReply("404");
  }

  @Test
  void keptAliveConnection_acrossStandstill_keepsItsIdleTime() {
    send(HALF_A_HEAD + REST_OF_HEAD);
    assertReply("404");
    passMs(20_000);
    standStillMs(60_000);
    assertThat(channel.isOpen()).isTrue();
    passMs(10_000);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void silentPeer_endlessShortStandstills_isClosedEventually() {
    send(HALF_A_HEAD);
    for (int i = 0; i < 60; i++) {
      standStillMs(300);
    }
    assertThat(channel.isOpen()).isFalse();
  }
}
