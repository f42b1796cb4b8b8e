package dev.waymark.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class HealthCommandIT {
  private final StringWriter err = new StringWriter();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(
              Integer.parseInt(exchange.getRequestURI().getPath().substring(1)), -1);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @ParameterizedTest
  @CsvSource({"200, 0", "204, 0", "302, 1", "404, 1", "503, 1"})
  void health_status_determinesExitCode(int status, int exitCode) {
    assertThat(run("http://127.0.0.1:" + server.getAddress().getPort() + "/" + status))
        .isEqualTo(exitCode);
    assertThat(err.toString().lines()).hasSize(exitCode);
  }

  @Test
  void health_noAnswer_exitsWith1AndOneLine() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String url = "http://127.0.0.1:" + silent.getLocalPort() + "/";
      assertThat(run(url, "--timeout", "200ms")).isEqualTo(1);
      assertThat(err.toString())
          .isEqualToIgnoringNewLines("health: " + url + ": no answer within 200ms");
    }
    server.stop(0);
    assertThat(run("http://127.0.0.1:" + server.getAddress().getPort() + "/200")).isEqualTo(1);
    assertThat(err.toString()).contains(": cannot connect: connection refused");
  }

  @Test
  void health_unresolvableName_saysSo() {
    assertThat(run("http://no-such-host.invalid:7080/readyz")).isEqualTo(1);
    assertThat(err.toString())
        .isEqualToIgnoringNewLines(
            "health: http://no-such-host.invalid:7080/readyz: unknown host no-such-host.invalid; the name resolves to no address");
  }

  @Test
  void health_portWithoutHttp_exitsWith1AndItsOwnMessage() throws Exception {
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread answering =
          Thread.startVirtualThread(() -> {
            try (Socket client = other.accept()) {
              client.getOutputStream().write("SSH-2.0-other\r\n".getBytes(US_ASCII));
              client.getInputStream().readAllBytes();
            } catch (IOException gone) {
              // The command may close at any time.
            }
          });
      assertThat(run("http://127.0.0.1:" + other.getLocalPort() + "/")).isEqualTo(1);
      assertThat(err.toString()).contains("the response is not HTTP").doesNotContain("Exception");
      answering.join();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense",
        "ftp://127.0.0.1/",
        "http://",
        "http://a b/",
        "127.0.0.1:7080/readyz",
        "http://127.0.0.1:99999/"
      })
  void health_badUrl_exitsWith2(String url) {
    assertThat(run(url)).isEqualTo(2);
    assertThat(err.toString()).contains(url);
  }

  @Test
  void health_badTimeout_exitsWith2() {
    assertThat(run("http://127.0.0.1/", "--timeout", "soon")).isEqualTo(2);
    assertThat(err.toString()).contains("--timeout: soon").doesNotContain("Exception");
  }

  private int run(String... args) {
    return new CommandLine(new HealthCommand()).setErr(new PrintWriter(err)).execute(args);
  }
}
