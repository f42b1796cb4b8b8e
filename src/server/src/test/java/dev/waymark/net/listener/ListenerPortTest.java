package dev.waymark.net.listener;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.config.ConfigLoader;
import dev.waymark.config.ListenerConfig;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.stream.ClientSocket;
import dev.waymark.net.NettyTransport;
import dev.waymark.net.admission.Admission;
import dev.waymark.net.admission.AdmissionLimits;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListenerPortTest {
  private static final int TIMEOUT_MS = 20_000;
  @TempDir private Path folder;

  @Test
  void text_ofALinkLocalAddress_hasItsZone() throws Exception {
    byte[] ip = InetAddress.ofLiteral("fe80::1").getAddress();
    var address = new InetSocketAddress(Inet6Address.getByAddress(null, ip, 3), 7000);
    assertThat(ListenerPort.text(address)).isEqualTo("[fe80::1%3]:7000");
    assertThat(ListenerPort.text(new InetSocketAddress("::1", 7000))).isEqualTo("[::1]:7000");
  }

  @Test
  void clientThatIsAcceptedBehindAProxy_needsItsHeaderAlthoughAReloadTurnsItOffMeanwhile()
      throws Exception {
    ListenerConfig before = config("proxy-protocol: {mode: required, trusted: 127.0.0.1}");
    var acceptor = new ReloadedAcceptor(before, config("proxy-protocol: {mode: 'off'}"));
    var refused = new LinkedBlockingQueue<RefusalReason>();
    NettyTransport transport = NettyTransport.choose(Transport.NIO);
    try (var loops = new MultiThreadIoEventLoopGroup(1, transport.ioHandlers())) {
      ListenerPort port = open(before, acceptor, transport, loops, refused);
      try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port.address().getPort())) {
        client.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(US_ASCII));
        assertThat(refused.poll(TIMEOUT_MS, MILLISECONDS))
            .isEqualTo(RefusalReason.PROXY_HEADER_MISSING);
      }
      port.close();
    }
  }

  private ListenerConfig config(String keys) throws IOException {
    Path file = folder.resolve("waymark.yml");
    Files.writeString(file, "listeners: [{name: port, address: '127.0.0.1:0', " + keys + "}]");
    return ConfigLoader.load(Optional.of(file), Map.of(), Map.of()).config().listeners().getFirst();
  }

  private static ListenerPort open(
      ListenerConfig config,
      Acceptor acceptor,
      NettyTransport transport,
      MultiThreadIoEventLoopGroup loops,
      BlockingQueue<RefusalReason> refused)
      throws IOException {
    LongSupplier clockNs = System::nanoTime;
    var sockets =
        new ListenerPort.Sockets(
            loops.next(),
            loops,
            transport.servers(),
            null,
            1024,
            () -> false,
            new DescriptorLimit(100),
            new MemoryPauses(),
            clockNs);
    var port =
        new ListenerPort(
            config,
            new ListenerCounters(),
            new Admission(AdmissionLimits.NONE, clockNs.getAsLong()),
            null,
            sockets,
            acceptor,
            new RefusalRecorder(refused));
    port.bind();
    port.accept();
    return port;
  }

  /** Reloads the configuration as soon as a client is accepted. */
  private static final class ReloadedAcceptor implements Acceptor {
    private final ListenerConfig after;
    private ListenerConfig current;

    ReloadedAcceptor(ListenerConfig before, ListenerConfig after) {
      this.current = before;
      this.after = after;
    }

    @Override
    public LongSupplier clockNs(EventLoop loop) {
      return System::nanoTime;
    }

    @Override
    public ListenerConfig listener(EventLoop loop, String listener) {
      ListenerConfig now = current;
      current = after;
      return now;
    }

    @Override
    public Connection onAccepted(EventLoop loop, String listener, ClientSocket socket) {
      throw new AssertionError("became a connection without a header");
    }

    @Override
    public void onBug(Throwable bug) {}
  }

  private record RefusalRecorder(Queue<RefusalReason> refused) implements ListenerEvents {
    @Override
    public void onAcceptPaused(String listener, String cause) {}

    @Override
    public void onAcceptResumed(String listener) {}

    @Override
    public void onRefused(
        String listener, String clientAddress, RefusalReason reason, String detail) {
      refused.add(reason);
    }

    @Override
    public void onTlsPassedOn(String listener, String clientAddress) {}
  }
}
