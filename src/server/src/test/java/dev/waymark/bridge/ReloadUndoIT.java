package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.waymark.api.ReloadOutcome;
import dev.waymark.config.BridgeConfig;
import dev.waymark.config.ConfigLoader;
import dev.waymark.config.ListenerConfig;
import dev.waymark.config.ListenerKeys;
import dev.waymark.config.LoadedConfig;
import dev.waymark.net.listener.ListenerPort;
import dev.waymark.telemetry.EventLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A reload that fails at a step where only a bug in the bridge can make it fail. */
final class ReloadUndoIT {
  private static final String POOL =
      "  - {name: %s, target: 'static:///127.0.0.1:1', no-upstream-wait: %ds}\n";

  private final int freePort = freePort();
  @TempDir private Path folder;

  @SuppressWarnings("NullAway.Init")
  private LoadedConfig next;

  @SuppressWarnings("NullAway.Init")
  private Bridge bridge;

  private static int freePort() {
    try (var probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @BeforeEach
  void start() throws Exception {
    next = load("", POOL.formatted("red", 1));
    bridge = new Bridge(next, Optional.of(() -> next), new EventLog(Clock::nowNs), () -> 0);
    bridge.startAdmin();
    bridge.start(new CountDownLatch(1));
  }

  @AfterEach
  void stop() throws InterruptedException {
    bridge.stop();
  }

  private LoadedConfig load(String moreListeners, String pools) throws IOException {
    Path file = folder.resolve("waymark.yml");
    Files.writeString(
        file,
        "admin: {address: '127.0.0.1:0'}\nstart-timeout: 10ms\nlisteners:\n"
            + "  - {name: game, address: '127.0.0.1:0', pool: red}\n"
            + moreListeners
            + "pools:\n"
            + pools);
    return ConfigLoader.load(Optional.of(file), Map.of(), Map.of());
  }

  private String chat() {
    return "  - {name: chat, address: '127.0.0.1:%d', pool: blue}\n".formatted(freePort);
  }

  /** Returns a configuration that no file can have: a listener whose pool does not exist. */
  private static LoadedConfig broken(LoadedConfig config) {
    BridgeConfig whole = config.config();
    ListenerConfig lost = whole.listeners().getLast().with(ListenerKeys.POOL, "nowhere");
    List<ListenerConfig> listeners =
        Stream.concat(
                whole.listeners().stream().limit(whole.listeners().size() - 1), Stream.of(lost))
            .toList();
    return new LoadedConfig(
        whole.withListeners(listeners), config.entries(), config.embeddedEcho(), config.warnings());
  }

  private void assertClientClosedAfterShortWait() throws IOException {
    InetSocketAddress game = bridge.ports().getFirst().address();
    try (Socket client = new Socket(game.getAddress(), game.getPort())) {
      client.setSoTimeout(20_000);
      assertThat(client.getInputStream().read()).as("end of stream").isEqualTo(-1);
    }
  }

  @Test
  void signal_duringStart_waitsUntilBridgeHasStarted() throws Exception {
    AtomicInteger reads = new AtomicInteger();
    Bridge other =
        new Bridge(
            next,
            Optional.of(() -> {
              reads.incrementAndGet();
              return next;
            }),
            new EventLog(Clock::nowNs),
            () -> 0);
    try {
      Thread signal = Thread.ofPlatform().start(other.reload()::onSignal);
      await().until(() -> signal.getState() == Thread.State.WAITING);
      other.startAdmin();
      other.start(new CountDownLatch(1));
      signal.join();
      assertThat(reads).hasValue(1);
    } finally {
      other.stop();
    }
  }

  @Test
  void reload_failingOnBug_isUndoneAndReported() throws Exception {
    LoadedConfig good = load(chat(), POOL.formatted("red", 60) + POOL.formatted("blue", 5));
    LoadedConfig before = bridge.inForce();
    next = broken(good);
    assertThat(bridge.reload().onRequest())
        .isInstanceOfSatisfying(
            ReloadOutcome.Failed.class,
            failed ->
                assertThat(failed.message()).contains("nowhere").endsWith("nothing has changed"));
    assertThat(bridge.inForce()).isSameAs(before);
    assertThat(bridge.ports()).extracting(ListenerPort::listener).containsExactly("game");
    assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), freePort).close())
        .isInstanceOf(IOException.class);
    await().untilAsserted(() -> assertThat(bridge.pools().snapshots()).containsOnlyKeys("red"));
    assertClientClosedAfterShortWait();
    next = good;
    assertThat(bridge.reload().onRequest())
        .isEqualTo(
            new ReloadOutcome.Applied(
                List.of(
                    "listener chat added",
                    "pool blue added",
                    "pool red changed: no-upstream-wait")));
    new Socket(InetAddress.getLoopbackAddress(), freePort).close();
  }
}
