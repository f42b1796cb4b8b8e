package dev.waymark.upstreams.names;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UpstreamAddressTest {
  @Test
  void literals_areReadyToDial() throws Exception {
    assertThat(UpstreamAddress.parse("10.0.0.7:4770"))
        .isEqualTo(
            new UpstreamAddress.Literal(
                new InetSocketAddress(InetAddress.getByName("10.0.0.7"), 4770)));
    assertThat(UpstreamAddress.parse("[::1]:4770"))
        .isEqualTo(
            new UpstreamAddress.Literal(new InetSocketAddress(InetAddress.getByName("::1"), 4770)));
    assertThat(UpstreamAddress.parse("unix:/run/a.sock"))
        .isEqualTo(new UpstreamAddress.Literal(UnixDomainSocketAddress.of("/run/a.sock")))
        .isEqualTo(UpstreamAddress.parse("unix:///run/a.sock"));
  }

  @Test
  void name_isNotResolved() {
    assertThat(UpstreamAddress.parse("backend.internal:4770"))
        .isEqualTo(new UpstreamAddress.Name("backend.internal", 4770));
  }

  @Test
  void zone_isKept() throws Exception {
    NetworkInterface loopback = NetworkInterface.getByName("lo");
    assumeTrue(loopback != null, "there is no network interface 'lo' here");
    assertThat(UpstreamAddress.parse("[fe80::1%3]:4770"))
        .isEqualTo(
            new UpstreamAddress.Literal(
                new InetSocketAddress(
                    Inet6Address.getByAddress(
                        null, InetAddress.ofLiteral("fe80::1").getAddress(), 3),
                    4770)));
    assertThat(UpstreamAddress.parse("[fe80::1%lo]:4770"))
        .isInstanceOfSatisfying(
            UpstreamAddress.Zoned.class,
            zoned -> assertThat(scopeOf(zoned)).isEqualTo(loopback.getIndex()));
  }

  private static int scopeOf(UpstreamAddress.Zoned zoned) {
    try {
      return ((Inet6Address) zoned.resolve().getAddress()).getScopeId();
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void zone_withoutItsInterface_isReported() {
    var zoned = (UpstreamAddress.Zoned) UpstreamAddress.parse("[fe80::1%no-such0]:4770");
    assertThatThrownBy(zoned::resolve)
        .hasMessage("there is no network interface 'no-such0' on this host");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "a:",
        ":1",
        "a:0",
        "a:65536",
        "a:b",
        "::1:4770",
        "[a]:1",
        "unix:",
        "[::1%]:1"
      })
  void invalidText_isRefusedWithAMessageThatNamesIt(String text) {
    assertThatThrownBy(() -> UpstreamAddress.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("'" + text + "' is not the address of an upstream");
  }

  @Test
  void format_ofAddresses_isLiteral() throws Exception {
    assertThat(
            UpstreamAddress.format(
                InetAddress.getByAddress("name", new byte[] {10, 0, 0, 7}), 4770))
        .isEqualTo("10.0.0.7:4770");
    assertThat(UpstreamAddress.format(InetAddress.getByName("2001:db8::1"), 4770))
        .isEqualTo("[2001:db8::1]:4770");
    InetAddress scoped =
        Inet6Address.getByAddress("name", InetAddress.ofLiteral("fe80::1").getAddress(), 3);
    assertThat(UpstreamAddress.format(scoped, 4770)).isEqualTo("[fe80::1%3]:4770");
  }
}
