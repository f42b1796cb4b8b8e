package dev.waymark.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
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

  @ParameterizedTest
  @ValueSource(
      strings = {"", "a", "a:", ":1", "a:0", "a:65536", "a:b", "::1:4770", "[a]:1", "unix:"})
  void anythingElse_isRefusedByName(String text) {
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
  }

  @Test
  void unixSocket_takesTheClassOfTheTransport() {
    var unix = UnixDomainSocketAddress.of("/run/a.sock");
    assertThat(UpstreamAddress.forChannelType(unix, NioDomainSocketChannel.class)).isSameAs(unix);
    assertThat(UpstreamAddress.forChannelType(unix, EpollDomainSocketChannel.class))
        .isEqualTo(new DomainSocketAddress("/run/a.sock"));
  }
}
