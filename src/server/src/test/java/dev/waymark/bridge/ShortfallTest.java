package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.waymark.bridge.Shortfall.Environment;
import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.config.ConfigLoader;
import dev.waymark.config.LoadedConfig;
import dev.waymark.net.NettyTransport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ShortfallTest {
  private static final String SHARING = "mixed mode, sharing";
  private static final String NO_TIMEOUTS =
      "listeners: [{user-timeout: off}]\npools: [{target: 'unix:/a', user-timeout: off}]\n";

  @TempDir private Path folder;

  private LoadedConfig load(String text) throws IOException {
    Path file = Files.writeString(folder.resolve("waymark.yml"), text);
    return ConfigLoader.load(Optional.of(file), Map.of(), Map.of());
  }

  private static Environment environment(long clientsMax, int acceptQueueMax, String jvm) {
    return new Environment(NettyTransport.choose(Transport.NIO), clientsMax, acceptQueueMax, jvm);
  }

  @Test
  void environment_sufficient_hasNoShortfall() throws IOException {
    assertThat(Shortfall.of(environment(1_000, 4_096, SHARING), load(NO_TIMEOUTS))).isEmpty();
  }

  @Test
  void transport_withoutUserTimeout_isReportedIfOneIsConfigured() throws IOException {
    assertThat(Shortfall.of(environment(1_000, 4_096, SHARING), load("{}")))
        .singleElement()
        .isEqualTo(
            new Shortfall(
                "transport nio",
                "configured",
                "user-timeout does nothing: a peer whose link is cut is detected by other limits, or late"));
  }

  @Test
  void limits_lowerThanConfigured_areReported() throws IOException {
    LoadedConfig wanted =
        load(NO_TIMEOUTS.replace("[{user", "[{connections-max: 5000, backlog: 1000, user"));
    assertThat(Shortfall.of(environment(1_000, 128, SHARING), wanted))
        .extracting(Shortfall::what)
        .containsExactly("room for 1000 clients", "backlog 128");
  }

  @Test
  void acceptQueue_isReadFromKernel() throws IOException, InterruptedException {
    assumeTrue(Files.exists(Path.of("/proc/sys/net/core/somaxconn")), "no /proc/sys");
    Process cat = new ProcessBuilder("cat", "/proc/sys/net/core/somaxconn").start();
    String said = new String(cat.getInputStream().readAllBytes(), US_ASCII).strip();
    assertThat(cat.waitFor()).isZero();
    assertThat(Environment.current(NettyTransport.choose(Transport.NIO), 1).acceptQueueMax())
        .hasToString(said);
  }

  @Test
  void aotCache_unused_isReported() throws IOException {
    assertThat(Shortfall.of(environment(1_000, 4_096, "mixed mode"), load(NO_TIMEOUTS)))
        .extracting(Shortfall::what)
        .containsExactly("start without an AOT cache");
  }
}
