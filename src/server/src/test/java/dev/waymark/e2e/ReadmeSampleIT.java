package dev.waymark.e2e;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java upstream in the README, run as a newcomer would. */
final class ReadmeSampleIT {
  private static final Pattern JAVA = Pattern.compile("(?s)```java\n(.*?)```");
  private static final int CLIENTS = 20;

  /** Exit code of a JVM that SIGTERM ended. */
  private static final int TERMINATED = 128 + 15;

  @Test
  void sample_terminatedUnderLoad_noClientNotices(@TempDir Path classes) throws IOException {
    compile(classes);
    int first = Waymark.freePort();
    int second = Waymark.freePort();
    try (Waymark leaving = start(classes, first);
        Waymark staying = start(classes, second)) {
      await().until(() -> isListening(first) && isListening(second));
      try (Bridge bridge =
          Bridge.start(
              Waymark.Launch::quick,
              "--upstream=static:///127.0.0.1:" + first + ",127.0.0.1:" + second)) {
        await().until(() -> bridge.admin().metric("waymark_pool_upstreams_serving") == 2);
        List<Client> clients = Clients.connect(CLIENTS, bridge.port());
        var isOver = new AtomicBoolean();
        var replies = new AtomicLong();
        try (var traffic =
            Clients.inBackground(() ->
                Clients.inParallel(clients, client -> sendRequests(client, isOver, replies)))) {
          awaitMore(replies);
          String label = "upstream=\"127.0.0.1:" + first + "\"";
          assertThat(bridge.admin().metric("waymark_upstream_connections", label)).isPositive();
          assertThat(leaving.stop()).as(leaving.describe()).isEqualTo(TERMINATED);
          awaitMore(replies);
          isOver.set(true);
          traffic.join();
        }
        Clients.inParallel(clients, client -> client.end().expectEnd());
        assertThat(bridge.admin().metric("waymark_replayed_bytes_total")).isZero();
        await().until(() -> bridge.closed().size() == CLIENTS);
        assertThat(bridge.closed()).allMatch(line -> line.contains("reason=done"));
        assertThat(staying.isAlive()).as(staying.describe()).isTrue();
      }
    }
  }

  private static boolean isListening(int port) {
    try (var probe = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return probe.isConnected();
    } catch (IOException notYet) {
      return false;
    }
  }

  private static void awaitMore(AtomicLong replies) {
    long before = replies.get();
    await().until(() -> replies.get() > before + 20L * CLIENTS);
  }

  /** Sends one request after another. */
  private static void sendRequests(Client client, AtomicBoolean isOver, AtomicLong replies) {
    for (int number = 0; !isOver.get(); number++) {
      String request = "hello " + number + "\n";
      client.write(request.getBytes(US_ASCII));
      assertThat(new String(client.readExactly(request.length()), US_ASCII))
          .isEqualTo(request.toUpperCase(Locale.ROOT));
      replies.incrementAndGet();
    }
  }

  /** Compiles the README's code, in which only the port is changed. */
  private static void compile(Path classes) throws IOException {
    Matcher block = JAVA.matcher(Files.readString(Path.of("README.md")));
    assertThat(block.find()).isTrue();
    String code = block.group(1);
    assertThat(code).contains("forPort(4770)");
    Path source = classes.resolve("Shout.java");
    Files.writeString(source, code.replace("4770", "Integer.getInteger(\"port\")"));
    var messages = new ByteArrayOutputStream();
    int outcome =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                messages,
                messages,
                "-Xlint:all,-classfile,-processing,-path",
                "-Werror",
                "-proc:none",
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                classes.toString(),
                source.toString());
    assertThat(outcome).as(messages.toString(US_ASCII)).isZero();
  }

  private static Waymark start(Path classes, int port) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(
        List.of(
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Dport=" + port,
            "-cp",
            classes + File.pathSeparator + System.getProperty("java.class.path"),
            "Shout"));
    return Waymark.program(line.toArray(String[]::new)).start();
  }
}
