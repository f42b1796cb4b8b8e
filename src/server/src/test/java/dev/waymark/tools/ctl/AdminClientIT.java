package dev.waymark.tools.ctl;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.waymark.net.tls.ServerTrust;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdminClientIT {
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private HttpServer server;
  private AdminClient client;

  @BeforeEach
  void start() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", exchange -> reply(exchange, 200, "{\"a\": 1}"));
    server.createContext("/denied", exchange -> reply(exchange, 401, "{\"error\": \"a token\"}"));
    server.createContext("/role", exchange -> reply(exchange, 403, "{\"error\": \"role\"}"));
    server.createContext("/missing", exchange -> reply(exchange, 404, "<html>"));
    server.createContext("/page", exchange -> reply(exchange, 200, "<html>"));
    server.start();
    client = new AdminClient(ServerTrust.context(null, true), Duration.ofSeconds(5));
  }

  private void reply(HttpExchange exchange, int status, String body) throws IOException {
    requests.add(
        exchange.getRequestURI() + " " + exchange.getRequestHeaders().getFirst("Authorization"));
    exchange.sendResponseHeaders(status, body.length());
    exchange.getResponseBody().write(body.getBytes(UTF_8));
    exchange.close();
  }

  @AfterEach
  void stop() {
    client.close();
    server.stop(0);
  }

  @Test
  void answers_comeInTheOrderOfThePaths() {
    assertThat(client.ask(port(Optional.empty()), "/x?service=a", "/y").join())
        .isInstanceOfSatisfying(
            Answer.Told.class,
            told -> assertThat(told.bodies()).hasSize(2).hasOnlyElementsOfType(JsonObject.class));
    assertThat(requests).contains("/healthz null", "/x?service=a null", "/y null");
  }

  @Test
  void token_isSentOnceThePortIsKnownToSpeakPlainHttp() {
    client.ask(port(Optional.of("secret")), "/x").join();
    assertThat(requests).containsExactly("/healthz null", "/x Bearer secret");
  }

  @Test
  void token_isNotSentToAPlainPortThatPointsToTls() {
    server.removeContext("/");
    server.createContext(
        "/healthz",
        exchange -> {
          exchange.getResponseHeaders().set("Location", "https://" + address() + "/healthz");
          reply(exchange, 308, "{}");
        });
    assertThat(failure(port(Optional.of("secret")), "/x")).isNotEmpty();
    assertThat(requests).containsExactly("/healthz null");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/denied | '' | it wants a token; name the file that has it with --token-file",
        "/denied | x | it does not accept the token of --token-file",
        "/role | x | role",
        "/missing | x | HTTP status 404",
        "/page | '' | the answer is not that of an admin port"
      })
  void refusal_isOneClause(String path, String token, String problem) {
    Optional<String> shown = Optional.of(token).filter(each -> !each.isEmpty());
    assertThat(failure(port(shown), "/x", path)).isEqualTo(problem);
  }

  @Test
  void port_thatIsClosedOrSilent_isSaidInOneClause() throws Exception {
    AdminAddress closed = port(Optional.empty());
    server.stop(0);
    assertThat(failure(closed, "/x")).isEqualTo("cannot connect: connection refused");
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        AdminClient hasty =
            new AdminClient(ServerTrust.context(null, true), Duration.ofMillis(300))) {
      String address = "127.0.0.1:" + silent.getLocalPort();
      AdminAddress to = AdminAddress.read(address, Optional.empty(), "--x").orElseThrow();
      assertThat(hasty.ask(to, "/x").join()).isEqualTo(new Answer.Failed("no answer within 0.3 s"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:7080, http://127.0.0.1:7080",
    "http://a.example:7080/, http://a.example:7080",
    "HTTPS://[::1]:7080, https://[::1]:7080",
    "127.0.0.1, ",
    "127.0.0.1:0, ",
    "ftp://a:1, ",
    "http://a:1/x, ",
    "a_b:1, ",
    "'', "
  })
  void address_isHostAndPortOrAUrl(String text, String base) {
    assertThat(
            AdminAddress.read(text, Optional.empty(), "--x")
                .map(read -> read.base().toString())
                .orElse(null))
        .isEqualTo(base);
  }

  private String failure(AdminAddress port, String... paths) {
    return ((Answer.Failed) client.ask(port, paths).join()).problem();
  }

  private AdminAddress port(Optional<String> token) {
    return AdminAddress.read(address(), token, "--token-file").orElseThrow();
  }

  private String address() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }
}
