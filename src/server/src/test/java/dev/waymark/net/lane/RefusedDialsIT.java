package dev.waymark.net.lane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.waymark.engine.base.LoopTime;
import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.Dialler;
import dev.waymark.upstreams.ControlLoop;
import dev.waymark.upstreams.NettyHealthChannels;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringSocketChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** File descriptors of channels that fail to connect. */
final class RefusedDialsIT {
  private static final int DIALS = 60;

  private static final SocketAddress NO_SOCKET =
      UnixDomainSocketAddress.of("/tmp/waymark-no-such.sock");

  /** Dialling does not read the time. */
  private static final LoopTime NO_TIME =
      new LoopTime() {
        @Override
        public long nowNs() {
          return 0;
        }

        @Override
        public long standstillNs() {
          return 0;
        }
      };

  private enum Transport {
    IO_URING(IoUringSocketChannel.class, IoUringDomainSocketChannel.class),
    EPOLL(EpollSocketChannel.class, EpollDomainSocketChannel.class),
    NIO(NioSocketChannel.class, NioDomainSocketChannel.class);

    private final Class<? extends Channel> type;
    private final Class<? extends Channel> domainType;

    Transport(Class<? extends Channel> type, Class<? extends Channel> domainType) {
      this.type = type;
      this.domainType = domainType;
    }

    private @Nullable Throwable missing() {
      return switch (this) {
        case IO_URING -> IoUring.unavailabilityCause();
        case EPOLL -> Epoll.unavailabilityCause();
        case NIO -> null;
      };
    }

    private IoHandlerFactory handlers() {
      return switch (this) {
        case IO_URING -> IoUringIoHandler.newFactory();
        case EPOLL -> EpollIoHandler.newFactory();
        case NIO -> NioIoHandler.newFactory();
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void lanes_leakNoDescriptors(Transport transport) throws Exception {
    assumeTrue(transport.missing() == null, () -> String.valueOf(transport.missing()));
    try (var group = new MultiThreadIoEventLoopGroup(1, transport.handlers())) {
      var dialler = new Dialler(group.next(), transport.type, transport.domainType, null);
      assertNoneLeaked(() -> dial(dialler, unusedAddress()));
      assertNoneLeaked(() -> dial(dialler, NO_SOCKET));
    }
  }

  @Test
  void healthWatches_leakNoDescriptors() throws Exception {
    try (var group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory())) {
      var channels = new NettyHealthChannels(ControlLoop.nio(group.next(), NO_TIME));
      assertNoneLeaked(() ->
          failToCall(
              channels.open("unused:1", unusedAddress(), Duration.ZERO, new Dial()),
              "Connection refused"));
      assertNoneLeaked(
          () -> failToCall(channels.open("unix:unused", NO_SOCKET, Duration.ZERO, new Dial()), ""));
    }
  }

  private interface FailingDial {
    void run() throws Exception;
  }

  private static void assertNoneLeaked(FailingDial dial) throws Exception {
    // The first call opens files while it loads classes.
    dial.run();
    long before = sockets();
    for (int i = 0; i < DIALS; i++) {
      dial.run();
    }
    await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(() -> assertThat(sockets()).isLessThanOrEqualTo(before + 5));
  }

  private static void dial(Dialler dialler, SocketAddress address) throws Exception {
    Dial dial = new Dial();
    ChannelFuture dialling =
        dialler.dial(address, Duration.ZERO, dial, new ChannelInboundHandlerAdapter());
    assertThat(dialling.await(5, TimeUnit.SECONDS)).isTrue();
    assertThat(dialler.loop().submit(dial::problem).get()).isPresent();
  }

  private static void failToCall(ManagedChannel channel, String cause) throws Exception {
    try {
      var health = HealthGrpc.newBlockingStub(channel);
      assertThatThrownBy(() -> health.check(HealthCheckRequest.getDefaultInstance()))
          .isInstanceOf(StatusRuntimeException.class)
          .hasStackTraceContaining(cause);
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  private static InetSocketAddress unusedAddress() throws IOException {
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return (InetSocketAddress) free.getLocalSocketAddress();
    }
  }

  private static long sockets() throws IOException {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.filter(RefusedDialsIT::isSocket).count();
    }
  }

  private static boolean isSocket(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
    } catch (NoSuchFileException closed) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
