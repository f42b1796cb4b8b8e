package dev.waymark.upstream.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ServiceInstanceTest {
  private static final ServiceInstance ONE = ServiceInstance.of("echo", "10.0.0.1:4770");

  @ParameterizedTest
  @ValueSource(strings = {"host:1", "[::1]:65535", "unix:/run/echo.sock", "a_b.c-d:4770"})
  void address_ofAKnownForm_isTaken(String address) {
    assertThat(ServiceInstance.of("echo", address).address()).isEqualTo(address);
  }

  @ParameterizedTest
  @CsvSource({
    "'', host:1, 'service:  (expected: 1 to 253 of a-z, A-Z, 0-9, ''.'', ''_'' and ''-'')'",
    "a b, host:1, 'service: a b (expected: 1 to 253 of a-z, A-Z, 0-9, ''.'', ''_'' and ''-'')'",
    "echo, host, address: host (expected: HOST:PORT or unix:/PATH)",
    "echo, ho st:1, address: ho st:1 (expected: HOST:PORT or unix:/PATH)"
  })
  void serviceOrAddress_ofAnotherForm_isRefused(String service, String address, String message) {
    assertThatThrownBy(() -> ServiceInstance.of(service, address))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void numbers_outsideTheirRange_areRefused() {
    assertThatThrownBy(() -> ONE.withWeight(0)).hasMessage("weight: 0 (expected: 1 to 1000)");
    assertThatThrownBy(() -> ONE.withWeight(1_001)).hasMessageContaining("1001");
    assertThatThrownBy(() -> ONE.withPriority(101))
        .hasMessage("priority: 101 (expected: 0 to 100)");
    assertThatThrownBy(() -> InstanceLoad.ofUtilisation(Double.NaN)).hasMessageContaining("NaN");
    assertThatThrownBy(() -> InstanceLoad.ofUtilisation(-1)).hasMessageContaining("-1");
  }

  @Test
  void labels_tooManyOrTooLong_areRefused() {
    Map<String, String> many =
        IntStream.range(0, 65).boxed().collect(Collectors.toMap(i -> "n" + i, i -> "v"));
    assertThatThrownBy(() -> ONE.withLabels(many)).hasMessage("labels: more than 64");
    assertThatThrownBy(() -> ONE.withLabel("n".repeat(64), "")).hasMessageContaining("names have");
    assertThatThrownBy(() -> ONE.withLabel("n", "v".repeat(254)))
        .hasMessageContaining("values have");
    assertThat(ONE.withLabel("a", "1").withLabel("a", "2").labels()).containsEntry("a", "2");
  }
}
