package dev.waymark.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.config.ConfigException;
import dev.waymark.tools.bench.EchoServer;
import dev.waymark.tools.stub.StubOptions;
import dev.waymark.tools.stub.StubServer;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The address families that listening sockets accept, for each transport. */
final class ServerSocketsIT {
  private static final String V4 = "127.0.0.1";
  private static final String V6 = "::1";

  private final BlockingQueue<SocketAddress> clients = new LinkedBlockingQueue<>();

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
  void socket_ofAnAddress_acceptsOnlyItsFamily(Transport name) throws Exception {
    NettyTransport transport = choose(name);
    assumeTrue(hasIpv6(), "no IPv6 on this machine");
    try (var loops = new MultiThreadIoEventLoopGroup(1, transport.ioHandlers())) {
      Channel all4 = listen(transport, loops, "0.0.0.0");
      assertAccepts(all4, V4);
      assertRefuses(all4, V6);
      Channel loopback4 = listen(transport, loops, V4);
      assertAccepts(loopback4, V4);
      assertRefuses(loopback4, V6);
      Channel loopback6 = listen(transport, loops, V6);
      assertAccepts(loopback6, V6);
      assertRefuses(loopback6, V4);
      Channel all = listen(transport, loops, "::");
      assertAccepts(all, V4);
      assertAccepts(all, V6);
    }
  }

  @Test
  void stub_onTheIpv4Wildcard_isNotServedOverIpv6() throws Exception {
    assumeTrue(hasIpv6(), "no IPv6 on this machine");
    List<InetSocketAddress> wanted =
        List.of(
            new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), 0),
            new InetSocketAddress(InetAddress.ofLiteral("::"), 0));
    try (StubServer stub = StubServer.start(wanted, StubOptions.ECHO)) {
      int port4 = stub.addresses().getFirst().getPort();
      int port = stub.addresses().getLast().getPort();
      new Socket(InetAddress.ofLiteral(V4), port4).close();
      assertRefuses(port4, V6);
      new Socket(InetAddress.ofLiteral(V4), port).close();
      new Socket(InetAddress.ofLiteral(V6), port).close();
    }
  }

  @Test
  void echo_onTheIpv4Wildcard_isNotServedOverIpv6() throws Exception {
    assumeTrue(hasIpv6(), "no IPv6 on this machine");
    try (EchoServer echo =
        new EchoServer(new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), 0))) {
      new Socket(InetAddress.ofLiteral(V4), echo.address().getPort()).close();
      assertRefuses(echo.address().getPort(), V6);
    }
  }

  private static NettyTransport choose(Transport name) {
    try {
      return NettyTransport.choose(name);
    } catch (ConfigException missing) {
      assumeTrue(false, missing.getMessage());
      throw missing;
    }
  }

  private static boolean hasIpv6() {
    try (var probe = new java.net.ServerSocket(0, 1, InetAddress.ofLiteral(V6))) {
      return probe.isBound();
    } catch (IOException none) {
      return false;
    }
  }

  private Channel listen(
      NettyTransport transport, MultiThreadIoEventLoopGroup loops, String address) {
    InetAddress bound = InetAddress.ofLiteral(address);
    Channel server =
        new ServerBootstrap()
            .group(loops)
            .channelFactory(() -> transport.servers().open(bound))
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel client) {
                    client.pipeline().addLast(new ClientRecorder());
                  }
                })
            .bind(bound, 0)
            .syncUninterruptibly()
            .channel();
    assertThat(((InetSocketAddress) server.localAddress()).getAddress()).isEqualTo(bound);
    return server;
  }

  private void assertAccepts(Channel server, String from) throws Exception {
    try (Socket client = new Socket(InetAddress.ofLiteral(from), port(server))) {
      assertThat(clients.poll(5, TimeUnit.SECONDS))
          .isEqualTo(new InetSocketAddress(InetAddress.ofLiteral(from), client.getLocalPort()));
    }
  }

  private static void assertRefuses(Channel server, String from) {
    assertRefuses(port(server), from);
  }

  private static void assertRefuses(int port, String from) {
    assertThatThrownBy(() -> new Socket(InetAddress.ofLiteral(from), port).close())
        .isInstanceOf(ConnectException.class);
  }

  private static int port(Channel server) {
    return ((InetSocketAddress) server.localAddress()).getPort();
  }

  /** Records the address of a client, as the transport reports it. */
  private final class ClientRecorder extends ChannelInboundHandlerAdapter {
    @Override
    public void channelActive(ChannelHandlerContext context) {
      clients.add(context.channel().remoteAddress());
    }
  }
}
