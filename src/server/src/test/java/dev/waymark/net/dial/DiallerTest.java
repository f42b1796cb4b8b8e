package dev.waymark.net.dial;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiallerTest {
  private static final EventLoop LOOP = new DefaultEventLoop();

  @AfterAll
  static void end() {
    LOOP.shutdownGracefully();
  }

  @ParameterizedTest
  @CsvSource({
    "stub_one:4770, stub_one:4770",
    "my-stack_upstream.ns:4770, my-stack_upstream.ns:4770",
    "x_:4770, x_:4770",
    "10.0.0.7:4770, 10.0.0.7:4770",
    "[fe80::99%eth0]:4770, [fe80::99]:4770",
    "[fe80::99%br-1_x]:4770, [fe80::99]:4770"
  })
  void authority_isTheUpstreamAsConfigured(String upstream, String authority) throws Exception {
    var address =
        new InetSocketAddress(
            InetAddress.getByAddress("stub_one", new byte[] {127, 0, 0, 1}), 4770);
    assertThat(authorityOf(upstream, address)).isEqualTo(authority);
  }

  @Test
  void authority_ofAUnixSocket_isLocalhost() {
    assertThat(authorityOf("unix:/run/a.sock", UnixDomainSocketAddress.of("/run/a.sock")))
        .isEqualTo("localhost");
  }

  @Test
  void unixSocket_mayHaveAnyName() {
    var address = new DomainSocketAddress("/run/é 100% [a].sock");
    var dialler = new Dialler(LOOP, NioSocketChannel.class, EpollDomainSocketChannel.class, null);
    ManagedChannel channel = dialler.channel("unix:/run/é", address, null, new Dial()).build();
    channel.shutdownNow();

    assertThat(channel.authority()).isEqualTo("localhost");
  }

  @Test
  void unixSocket_hasTheAddressClassOfTheTransport() {
    var unix = UnixDomainSocketAddress.of("/run/a.sock");
    assertThat(Dialler.forChannelType(unix, NioDomainSocketChannel.class)).isSameAs(unix);
    assertThat(Dialler.forChannelType(unix, EpollDomainSocketChannel.class))
        .isEqualTo(new DomainSocketAddress("/run/a.sock"));
  }

  private static String authorityOf(String upstream, SocketAddress address) {
    Dialler dialler = new Dialler(LOOP, NioSocketChannel.class, NioDomainSocketChannel.class, null);
    ManagedChannel channel = dialler.channel(upstream, address, null, new Dial()).build();
    channel.shutdownNow();
    return channel.authority();
  }
}
