package dev.waymark.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SourcesTest {
  @Test
  void network_forManyConnections_yieldsAsManyAddressesAsUseful() {
    assertThat(texts("127.0.0.0/8", 100)).hasSize(16).startsWith("127.0.0.1", "127.0.0.2");
    assertThat(texts("127.0.0.0/8", 200_000)).hasSize(51).doesNotHaveDuplicates();
    assertThat(texts("10.1.2.3/30", 200_000)).containsExactly("10.1.2.1", "10.1.2.2");
    assertThat(texts("10.1.2.3/32", 100)).containsExactly("10.1.2.3");
    assertThat(texts("127.0.9.9", 100)).containsExactly("127.0.9.9");
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "127.0.0.0/33", "127.0.0.0/", "::1/64", "127.0.0/8/8", ""})
  void source_invalid_isRefused(String text) {
    assertThatThrownBy(() -> texts(text, 1))
        .isInstanceOf(BenchException.class)
        .hasMessageStartingWith("--source: " + text + " (expected: ");
  }

  @Test
  void targets_several_areAllResolved() {
    assertThat(
            Targets.resolve(
                List.of(
                    InetSocketAddress.createUnresolved("127.0.0.1", 1),
                    InetSocketAddress.createUnresolved("::1", 2))))
        .hasSize(2);
  }

  private static List<String> texts(String text, int connections) {
    return Sources.parse(List.of(text), connections).stream()
        .map(InetAddress::getHostAddress)
        .toList();
  }
}
