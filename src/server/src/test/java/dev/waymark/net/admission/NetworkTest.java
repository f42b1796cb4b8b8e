package dev.waymark.net.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.Inet6Address;
import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class NetworkTest {
  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8, 10.255.255.255, 11.0.0.0",
    "10.0.0.0/8, 10.0.0.0, 9.255.255.255",
    "192.0.2.7, 192.0.2.7, 192.0.2.8",
    "192.0.2.6/31, 192.0.2.7, 192.0.2.8",
    "0.0.0.0/0, 255.255.255.255, ::1",
    "::/0, ffff::, 10.0.0.1",
    "fd00::/8, fdff::1, fe00::",
    "2001:db8::/63, 2001:db8:0:1:ffff::, 2001:db8:0:2::",
    "2001:db8::/64, 2001:db8::ffff:0:0:1, 2001:db8:0:1::",
    "2001:db8::/65, 2001:db8::7fff:0:0:1, 2001:db8::8000:0:0:1",
    "::1, ::1, ::2",
    "::ffff:10.0.0.0/104, 10.1.2.3, 11.0.0.0",
  })
  void network_containsItsAddresses_andNoOthers(String text, String inside, String outside) {
    Network network = Network.read(text);
    assertThat(network.contains(InetAddress.ofLiteral(inside))).isTrue();
    assertThat(network.contains(InetAddress.ofLiteral(outside))).isFalse();
  }

  @Test
  void ipv4Network_containsItsAddresses_alsoAsIpv4MappedIpv6() throws Exception {
    byte[] mapped = new byte[16];
    mapped[10] = -1;
    mapped[11] = -1;
    mapped[12] = 10;
    Network network = Network.read("10.0.0.0/8");
    assertThat(network.contains(Inet6Address.getByAddress(null, mapped, 0))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "10",
        "10.1",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "10.0.0.256",
        "::1/129",
        "fd00::1/8",
        "example.org",
        "::g",
        "[::1]",
        "fe80::1%1",
        "10.0.0.0/-1",
        "10.0.0.0/8/8"
      })
  void network_invalid_isRefused(String text) {
    assertThatThrownBy(() -> Network.read(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.0/8", "192.0.2.7", "0.0.0.0/0", "::/0", "2001:db8::/32", "::1"})
  void network_asText_isAsWritten(String text) {
    assertThat(Network.read(text)).hasToString(text);
  }

  @Test
  void ipv4Network_writtenAsIpv6_isTheSame() {
    assertThat(Network.read("::ffff:10.0.0.0/104")).isEqualTo(Network.read("10.0.0.0/8"));
  }
}
