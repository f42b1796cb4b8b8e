package dev.waymark.net.lane;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.engine.base.LoopTime;
import dev.waymark.net.dial.Dial;
import dev.waymark.upstreams.NettyHealthChannels;
import dev.waymark.upstreams.control.ControlLoop;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * File descriptors of channels that fail to connect, or connect to something that is no upstream.
 */
final class RefusedDialsIT {
  /** How many dials of each kind: few, unless told otherwise. */
  private static final int DIALS = Integer.getInteger("waymark.dials", 60);

  private static final boolean IS_LONG = System.getProperty("waymark.dials") != null;
  private static final int DIALS_AT_A_TIME = 20;

  private static final AttachStream.Listener IGNORING =
      new AttachStream.Listener() {
        @Override
        public void onWritable() {}

        @Override
        public void onAccepted() {}

        @Override
        public void onData(ByteBuf data) {}

        @Override
        public void onGoAway() {}

        @Override
        public void onEnd(Status status) {}
      };

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

  /** What dialled addresses do other than serve. */
  @SuppressWarnings("ImmutableEnumChecker") // The answers have no state.
  private enum Fault {
    /** Nobody listens. */
    REFUSED("connection refused", null),
    /** There is no Unix socket. */
    NO_SOCKET("no Unix socket", null),
    /** Connections are accepted and closed. */
    CLOSED("closes it without sending", socket -> {}),
    /** Connections are accepted and reset. */
    RESET(
        "resets it without|closes it without|Connection reset",
        socket -> socket.setSoLinger(true, 0)),
    /** Connections are accepted, and nothing is ever sent. */
    SILENT("sends nothing", RefusedDialsIT::awaitClose),
    HTTP1("HTTP/1.1", socket -> say(socket, "HTTP/1.1 400 Bad Request\r\n\r\n")),
    SSH("SSH", socket -> say(socket, "SSH-2.0-OpenSSH_9.2\r\n")),
    TLS("TLS", socket -> say(socket, "\25\3\3\0\2\2\106"));

    private final Pattern problem;
    private final @Nullable Answer answer;

    Fault(String problem, @Nullable Answer answer) {
      this.problem = Pattern.compile(problem);
      this.answer = answer;
    }
  }

  /** What a server does with a connection before it closes it. */
  private interface Answer {
    void run(Socket socket) throws IOException;
  }

  /** Waits for the peer to close, so that the kernel does not reset the connection. */
  private static void say(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(ISO_8859_1));
    awaitClose(socket);
  }

  private static void awaitClose(Socket socket) throws IOException {
    socket.getInputStream().transferTo(OutputStream.nullOutputStream());
  }

  static Stream<Arguments> faultsOnTransports() {
    return Stream.of(Transport.IO_URING, Transport.EPOLL, Transport.NIO)
        .flatMap(
            transport -> Stream.of(Fault.values()).map(fault -> Arguments.of(transport, fault)));
  }

  @ParameterizedTest
  @MethodSource("faultsOnTransports")
  void lanes_leakNoDescriptors(Transport transport, Fault fault) throws Exception {
    try (var loop = TestLoop.start(transport);
        var server = new FaultyServer(fault)) {
      assertNoneLeaked(
          transport + " " + fault,
          () -> {
            List<Dialled> dialled = new ArrayList<>();
            for (int i = 0; i < DIALS_AT_A_TIME; i++) {
              dialled.add(dial(loop, server.address()));
            }
            for (Dialled each : dialled) {
              if (fault == Fault.SILENT) {
                giveUp(loop, each);
                continue;
              }
              assertThat(each.channel.closeFuture().await(5, TimeUnit.SECONDS)).isTrue();
              // The channel's handlers learn of the end after its future.
              await()
                  .pollDelay(Duration.ZERO)
                  .until(() -> loop.call(each.dial::problem).isPresent());
              assertThat(loop.call(each.dial::problem).orElseThrow().text())
                  .containsPattern(fault.problem);
            }
          });
    }
  }

  /** Cancels as a lane does that was not established within {@code lanes.lane-timeout}. */
  private static void giveUp(TestLoop loop, Dialled silent) throws Exception {
    await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .untilAsserted(() ->
            assertThat(loop.call(silent.dial::problemOfSilence).orElseThrow().text())
                .containsPattern(Fault.SILENT.problem));
    loop.eventLoop().execute(silent.stream::cancel);
    assertThat(silent.channel.closeFuture().await(5, TimeUnit.SECONDS)).isTrue();
  }

  /** The kernel drops what would exceed the backlog of a listening socket. */
  @ParameterizedTest
  @EnumSource(names = {"IO_URING", "EPOLL", "NIO"})
  @EnabledIfSystemProperty(named = "waymark.dials", matches = ".+", disabledReason = "takes 5 s")
  void lanesThatTimeOut_leakNoDescriptors(Transport transport) throws Exception {
    List<Socket> filling = new ArrayList<>();
    try (var loop = TestLoop.start(transport);
        var full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      for (int i = 0; i < 2; i++) {
        filling.add(new Socket(full.getInetAddress(), full.getLocalPort()));
      }
      long before = sockets();
      long startNs = System.nanoTime();
      List<Dialled> dialled = new ArrayList<>();
      for (int i = 0; i < DIALS; i++) {
        dialled.add(dial(loop, full.getLocalSocketAddress()));
      }
      long most = sockets();
      for (Dialled each : dialled) {
        assertThat(each.channel.closeFuture().await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(loop.call(each.dial::problem))
            .hasValueSatisfying(problem -> assertThat(problem.text()).contains("timed out"));
      }
      awaitSockets(before);
      report(transport + " timed out", before, most, startNs);
    } finally {
      for (Socket socket : filling) {
        socket.close();
      }
    }
  }

  @Test
  void healthWatches_leakNoDescriptors() throws Exception {
    try (var group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory())) {
      var channels = new NettyHealthChannels(ControlLoop.nio(group.next(), NO_TIME), () -> null);
      assertNoneLeaked(
          "Watch refused",
          () -> {
            for (int i = 0; i < DIALS_AT_A_TIME; i++) {
              failToCall(
                  channels.open("unused:1", unusedAddress(), Duration.ZERO, new Dial()),
                  "Connection refused");
            }
          });
      assertNoneLeaked(
          "Watch without socket",
          () -> {
            for (int i = 0; i < DIALS_AT_A_TIME; i++) {
              failToCall(channels.open("unix:unused", NO_SOCKET, Duration.ZERO, new Dial()), "");
            }
          });
    }
  }

  private interface FailingDial {
    void run() throws Exception;
  }

  private static void assertNoneLeaked(String what, FailingDial dials) throws Exception {
    // The first call opens files while it loads classes.
    dials.run();
    long before = sockets();
    long startNs = System.nanoTime();
    long most = before;
    for (int i = 0; i < DIALS / DIALS_AT_A_TIME; i++) {
      dials.run();
      most = Math.max(most, sockets());
    }
    awaitSockets(before);
    report(what, before, most, startNs);
  }

  private static void awaitSockets(long before) {
    await()
        .atMost(Duration.ofSeconds(5))
        .pollInterval(Duration.ofMillis(10))
        .untilAsserted(() -> assertThat(sockets()).isLessThanOrEqualTo(before + 5));
  }

  private static void report(String what, long before, long most, long startNs) throws IOException {
    if (IS_LONG) {
      System.out.printf(
          "%s: %d dials in %d ms, sockets %d before, at most %d, %d after%n",
          what,
          DIALS,
          TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs),
          before,
          most,
          sockets());
    }
  }

  private record Dialled(Channel channel, Dial dial, AttachStream stream) {}

  private static Dialled dial(TestLoop loop, SocketAddress address) throws Exception {
    var dial = new Dial();
    var stream = AttachStream.create("http", "unused", "waymark/test", 1 << 20, IGNORING);
    return new Dialled(
        loop.call(() -> loop.dialler().dial("unused", address, Duration.ZERO, null, dial, stream))
            .channel(),
        dial,
        stream);
  }

  /** Treats each connection as its fault says. */
  private static final class FaultyServer implements AutoCloseable {
    private final Fault fault;
    private final ServerSocket listening;
    private final SocketAddress bound;

    FaultyServer(Fault fault) throws IOException {
      this.fault = fault;
      this.listening = new ServerSocket(0, 500, InetAddress.getLoopbackAddress());
      this.bound = listening.getLocalSocketAddress();
      if (fault.answer == null) {
        listening.close();
      } else {
        Thread.ofVirtual().start(() -> serve(fault.answer));
      }
    }

    SocketAddress address() {
      return fault == Fault.NO_SOCKET ? NO_SOCKET : bound;
    }

    private void serve(Answer answer) {
      while (!listening.isClosed()) {
        try {
          Socket socket = listening.accept();
          Thread.ofVirtual()
              .start(() -> {
                try (socket) {
                  answer.run(socket);
                } catch (IOException gone) {
                  // The other end was faster.
                }
              });
        } catch (IOException closed) {
          return;
        }
      }
    }

    @Override
    public void close() throws IOException {
      listening.close();
    }
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
