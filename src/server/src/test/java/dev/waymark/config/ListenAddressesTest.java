package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ListenAddressesTest {
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, 127.0.0.1, true",
    "127.0.0.1, 127.0.0.2, false",
    "0.0.0.0, 127.0.0.1, true",
    "0.0.0.0, ::1, false",
    "0.0.0.0, ::, true",
    "::, 127.0.0.1, true",
    "::, ::1, true",
    "::1, 127.0.0.1, false",
  })
  void addresses_onOnePort_excludeEachOther(String a, String b, boolean isExclusive) {
    assertThat(ListenAddresses.exclude(at(a, 7000), at(b, 7000))).isEqualTo(isExclusive);
    assertThat(ListenAddresses.exclude(at(b, 7000), at(a, 7000))).isEqualTo(isExclusive);
    assertThat(ListenAddresses.exclude(at(a, 7000), at(b, 7001))).isFalse();
  }

  @Test
  void portZero_excludesNothing() {
    assertThat(ListenAddresses.exclude(at("0.0.0.0", 0), at("0.0.0.0", 0))).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "::, true, ::",
    "::, false, 0.0.0.0",
    "::1, false, ::1",
    "0.0.0.0, true, 0.0.0.0",
    "127.0.0.1, false, 127.0.0.1",
  })
  void ipv6Wildcard_withoutIpv6_becomesTheIpv4Wildcard(String wanted, boolean has, String bound) {
    assertThat(ListenAddresses.bound(InetAddress.ofLiteral(wanted), () -> has))
        .isEqualTo(InetAddress.ofLiteral(bound));
  }

  @Test
  void text_isParsedAsInTheConfiguration() {
    assertThat(ListenAddresses.parse("--listen", ":7000")).isEqualTo(at("0.0.0.0", 7000));
    assertThat(ListenAddresses.parse("--listen", "[::]:7000"))
        .isEqualTo(at(ListenAddresses.hasIpv6() ? "::" : "0.0.0.0", 7000));
    assertThatThrownBy(() -> ListenAddresses.parse("--listen", "7000"))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("--listen: 7000 (expected: HOST:PORT");
    assertThatThrownBy(() -> ListenAddresses.parse("--listen", "no-such-name.invalid:1"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("a name that resolves");
  }

  private static InetSocketAddress at(String literal, int port) {
    return new InetSocketAddress(InetAddress.ofLiteral(literal), port);
  }
}
