package dev.waymark.e2e;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Framing, limits and addresses of listeners. One bridge with a stub that answers each message with
 * {@code ok}.
 */
final class ListenersIT {
  private static final int FRAME_MAX = 1_000;
  private static final int MESSAGES = 300;

  private static final String LISTENERS =
      """
      listeners:
        - {name: line, address: "127.0.0.1:0", framing: line, frame-max: 1000}
        - {name: prefixed, address: "127.0.0.1:0", framing: {type: length-prefixed, length-bytes: 4}, frame-max: 1000}
        - {name: varint, address: "127.0.0.1:0", framing: varint, frame-max: 1000}
        - {name: narrow, address: "127.0.0.1:0", connections-max: 3}
        - {name: hasty, address: "127.0.0.1:0", idle-timeout: 300ms}
        - {name: six, address: "[::1]:0"}
      """;

  /** A framing, and the test's messages in it. */
  private enum Framing {
    LINE(0) {
      @Override
      byte[] framed(String text) {
        return (text + "\n").getBytes(US_ASCII);
      }

      @Override
      byte[] tooLong() {
        return "x".repeat(FRAME_MAX + 1).getBytes(US_ASCII);
      }
    },
    PREFIXED(1) {
      @Override
      byte[] framed(String text) {
        return ByteBuffer.allocate(4 + text.length())
            .putInt(text.length())
            .put(text.getBytes(US_ASCII))
            .array();
      }

      @Override
      byte[] tooLong() {
        return new byte[] {(byte) 0x80, 0, 0, 0};
      }
    },
    VARINT(2) {
      @Override
      byte[] framed(String text) {
        var out = new ByteArrayOutputStream();
        int length = text.length();
        for (; length >= 0x80; length >>>= 7) {
          out.write(length | 0x80);
        }
        out.write(length);
        out.writeBytes(text.getBytes(US_ASCII));
        return out.toByteArray();
      }

      @Override
      byte[] tooLong() {
        return new byte[] {(byte) 0xff, 0x7f};
      }
    };

    private final int listener;

    Framing(int listener) {
      this.listener = listener;
    }

    abstract byte[] framed(String text);

    abstract byte[] tooLong();

    String label() {
      return "listener=\"" + name().toLowerCase(java.util.Locale.ROOT) + "\"";
    }
  }

  private static Stub stub;
  private static Bridge bridge;

  @BeforeAll
  static void start(@TempDir Path folder) throws IOException {
    stub = Stub.start("--reply=ok");
    String pool = "pools:\n  - {name: default, target: \"static:///" + stub.address() + "\"}\n";
    bridge = Bridge.configured(Files.writeString(folder.resolve("waymark.yml"), LISTENERS + pool));
  }

  @AfterAll
  static void stop() {
    try (var _ = stub;
        var _ = bridge) {
      await().until(() -> bridge.admin().metric("waymark_connections_open") == 0);
      assertThat(bridge.admin().metric("waymark_memory_held_bytes")).isZero();
      bridge.lookForLeaks();
    }
  }

  @ParameterizedTest
  @EnumSource
  void messages_splitAnywhere_areEachAnsweredOnce(Framing framing) {
    var stream = new ByteArrayOutputStream();
    var random = new Random(framing.listener);
    for (int i = 0; i < MESSAGES; i++) {
      stream.writeBytes(framing.framed("m".repeat(random.nextInt(FRAME_MAX - 4))));
    }
    byte[] sent = stream.toByteArray();
    byte[] answer = framing.framed("ok");
    try (Client client = Client.connect(bridge.port(framing.listener))) {
      for (int at = 0; at < sent.length; ) {
        int end = Math.min(sent.length, at + 1 + random.nextInt(random.nextBoolean() ? 3 : 4_000));
        client.write(Arrays.copyOfRange(sent, at, end));
        at = end;
      }
      byte[] answers = client.readExactly(MESSAGES * answer.length);
      for (int i = 0; i < MESSAGES; i++) {
        assertThat(Arrays.copyOfRange(answers, i * answer.length, (i + 1) * answer.length))
            .isEqualTo(answer);
      }
      client.end().expectEnd();
      assertThat(bridge.awaitClosed(client))
          .containsEntry("reason", "done")
          .containsEntry("received-bytes", Integer.toString(sent.length));
    }
  }

  @ParameterizedTest
  @EnumSource
  @SuppressWarnings("try") // the client hangs up before the log is read
  void message_tooLong_closesAfterEarlierAnswers(Framing framing) {
    long before = closed(framing, "frame_too_long");
    byte[] answer = framing.framed("ok");
    try (Client client = Client.connect(bridge.port(framing.listener))) {
      client.write(afterGoodOnes(framing, framing.tooLong()));
      for (int i = 0; i < MESSAGES; i++) {
        assertThat(client.readExactly(answer.length)).isEqualTo(answer);
      }
      client.expectGone();
      client.close();
      bridge.assertClosed(client, "frame_too_long");
      assertThat(closed(framing, "frame_too_long")).isEqualTo(before + 1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void fin_inTheMiddleOfAMessage_closesAfterEarlierAnswers(Framing framing) {
    long before = closed(framing, "frame_incomplete");
    byte[] whole = framing.framed("half a message");
    try (Client client = Client.connect(bridge.port(framing.listener))) {
      client.write(afterGoodOnes(framing, Arrays.copyOf(whole, whole.length - 1))).end();
      byte[] answer = framing.framed("ok");
      for (int i = 0; i < MESSAGES; i++) {
        assertThat(client.readExactly(answer.length)).isEqualTo(answer);
      }
      client.expectGone();
      bridge.assertClosed(client, "frame_incomplete");
      assertThat(closed(framing, "frame_incomplete")).isEqualTo(before + 1);
    }
  }

  private static byte[] afterGoodOnes(Framing framing, byte[] bad) {
    var stream = new ByteArrayOutputStream();
    for (int i = 0; i < MESSAGES; i++) {
      stream.writeBytes(framing.framed("good"));
    }
    stream.writeBytes(bad);
    return stream.toByteArray();
  }

  @Test
  void client_beyondConnectionsMax_isRefusedAndCounted() {
    int port = bridge.port(3);
    try (Client first = Client.connect(port);
        Client second = Client.connect(port);
        Client third = Client.connect(port)) {
      assertAnswered(first);
      assertAnswered(second);
      assertAnswered(third);
      try (Client fourth = Client.connect(port)) {
        fourth.expectGone();
      }
      assertThat(bridge.admin().metric("waymark_connections_refused_total", "listener=\"narrow\""))
          .isEqualTo(1);
      first.end().expectEnd();
      await()
          .until(
              () -> bridge.admin().metric("waymark_connections_open", "listener=\"narrow\"") == 2);
      try (Client fifth = Client.connect(port)) {
        assertAnswered(fifth);
      }
      assertAnswered(second);
    }
  }

  @Test
  void client_idle_isClosedOnTime() {
    try (Client client = Client.connect(bridge.port(4))) {
      for (int i = 0; i < 5; i++) {
        assertAnswered(client);
      }
      client.expectEnd().end();
      var line = bridge.awaitClosed(client);
      assertThat(line).containsEntry("reason", "idle_timeout").containsEntry("ended-by", "bridge");
      assertThat(Long.parseLong(line.get("duration-ms"))).isBetween(300L, 3_000L);
    }
  }

  @Test
  void listener_onIpv6_servesAndNamesClientsInBrackets() {
    try (Client client = Client.connect(new InetSocketAddress("::1", bridge.port(5)), 0)) {
      assertAnswered(client);
      client.end().expectEnd();
      assertThat(client.address()).startsWith("[::1]:");
      bridge.assertClosed(client, "done");
    }
  }

  private static void assertAnswered(Client client) {
    client.write("question".getBytes(US_ASCII));
    assertThat(client.readExactly(2)).isEqualTo("ok".getBytes(US_ASCII));
  }

  private static long closed(Framing framing, String reason) {
    return bridge
        .admin()
        .metric("waymark_connections_closed_total", framing.label(), "reason=\"" + reason + "\"");
  }
}
