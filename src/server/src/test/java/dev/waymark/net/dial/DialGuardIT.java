package dev.waymark.net.dial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class DialGuardIT {
  private static final MultiThreadIoEventLoopGroup GROUP =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  @AfterAll
  static void endLoop() {
    GROUP.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  /** Dials from the dialled port itself, which the kernel may choose if there is no listener. */
  @Test
  void selfConnection_isResetAndFreesItsPort() throws Exception {
    InetSocketAddress port;
    try (var probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = new InetSocketAddress(InetAddress.getLoopbackAddress(), probe.getLocalPort());
    }
    Dial dial = new Dial();
    Channel channel =
        new Bootstrap()
            .group(GROUP)
            .channel(NioSocketChannel.class)
            .option(ChannelOption.SO_REUSEADDR, true)
            .handler(new DialGuard(port, dial))
            .connect(port, port)
            .awaitUninterruptibly()
            .channel();
    assertThat(channel.closeFuture().await(5, TimeUnit.SECONDS)).isTrue();
    assertThat(dial.problem())
        .hasValueSatisfying(problem ->
            assertThat(problem.text())
                .isEqualTo(
                    "connection refused: nothing is listening there; the socket connected to"
                        + " itself"));
    // NIO closes the descriptor in its selector's next turn. TIME-WAIT would last a minute.
    await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(() -> assertThatCode(() -> bindStrictly(port)).doesNotThrowAnyException());
  }

  /** Fails if a connection of this port is in TIME-WAIT. */
  private static void bindStrictly(InetSocketAddress port) throws Exception {
    try (var server = new ServerSocket()) {
      server.setReuseAddress(false);
      server.bind(port);
    }
  }
}
