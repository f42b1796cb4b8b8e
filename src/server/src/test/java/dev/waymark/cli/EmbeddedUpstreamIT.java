package dev.waymark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.bridge.StartException;
import dev.waymark.config.ConfigChanges;
import dev.waymark.config.ConfigLoader;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.LoadedConfig.EmbeddedEcho;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class EmbeddedUpstreamIT {
  private static LoadedConfig withEcho(InetSocketAddress address, boolean isDefault) {
    LoadedConfig plain = ConfigLoader.load(Optional.empty(), Map.of(), Map.of());
    EmbeddedEcho echo = new EmbeddedEcho(address, isDefault);
    return new LoadedConfig(plain.config(), plain.entries(), Optional.of(echo), plain.warnings());
  }

  @Test
  void address_inUse_isReplacedOnlyIfDefault() throws IOException {
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      InetSocketAddress taken = (InetSocketAddress) other.getLocalSocketAddress();
      LoadedConfig read = withEcho(taken, true);
      try (EmbeddedUpstream echo = EmbeddedUpstream.start(read)) {
        LoadedConfig found = echo.applyTo(read);
        assertThat(found.config().pools().getFirst().target().toString())
            .contains("127.0.0.1:")
            .doesNotContain(":" + taken.getPort());
        assertThat(ConfigChanges.between(found, echo.applyTo(read)).isEmpty()).isTrue();
      }
      assertThatThrownBy(() -> EmbeddedUpstream.start(withEcho(taken, false)))
          .isInstanceOf(StartException.class)
          .hasMessageContaining("--echo");
    }
  }

  @Test
  void echo_poolsConfigured_isNotStarted() {
    LoadedConfig pools =
        ConfigLoader.load(Optional.empty(), Map.of("--upstream", "unix:/a"), Map.of());
    try (EmbeddedUpstream none = EmbeddedUpstream.start(pools)) {
      assertThat(none.applyTo(pools)).isSameAs(pools);
    }
  }
}
