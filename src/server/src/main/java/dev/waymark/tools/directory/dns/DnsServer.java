package dev.waymark.tools.directory.dns;

import dev.waymark.net.admission.SourceBuckets;
import dev.waymark.protocol.Check;
import dev.waymark.registry.Catalog;
import dev.waymark.telemetry.Metrics;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A running DNS server for the services of a catalog, over UDP and TCP (docs/dns.md). Everything
 * happens on the catalog's event loop. Thread-safe.
 */
public final class DnsServer implements AutoCloseable {
  /** How often idle connections are looked for. */
  private static final long IDLE_CHECK_MS = 500;

  /** A free port for UDP may be taken for TCP. */
  private static final int FREE_PORT_ATTEMPTS = 20;

  private final EventLoop loop;
  private final DnsOptions options;
  private final DnsCounters counters = new DnsCounters();
  private final TcpConnections connections;
  private final Zone zone;
  private final Responder responder;
  private final Optional<SourceBuckets> limit;
  private final ScheduledFuture<?> idleCheck;

  /** Null until they are bound. */
  private volatile @Nullable Ports ports;

  private record Ports(Channel udp, Channel tcp) {}

  private DnsServer(EventLoop loop, Catalog catalog, DnsOptions options) {
    RandomGenerator random = new SplittableRandom();
    InetAddress own = options.listen().getAddress();
    this.loop = loop;
    this.options = options;
    connections =
        new TcpConnections(options.connectionsMax(), options.idleTimeout().toNanos(), counters);
    zone =
        new Zone(
            catalog,
            options.zone(),
            Math.toIntExact(options.ttl().toSeconds()),
            own.isAnyLocalAddress() ? null : own);
    responder = new Responder(zone, options.udpBytesMax(), random, counters);
    limit =
        options
            .ratePerSource()
            .map(rate -> new SourceBuckets(rate, random.nextLong(), loop.ticker().nanoTime()));
    idleCheck =
        loop.scheduleWithFixedDelay(
            () -> connections.closeIdle(loop.ticker().nanoTime()),
            IDLE_CHECK_MS,
            IDLE_CHECK_MS,
            TimeUnit.MILLISECONDS);
  }

  /**
   * Starts a server. Blocks; must not be called on the event loop.
   *
   * @param loop that of the catalog; with epoll or NIO
   * @param metrics where it registers its own
   * @throws IOException if the address cannot be bound; the message says which
   */
  public static DnsServer start(
      EventLoop loop, Catalog catalog, DnsOptions options, Metrics metrics) throws IOException {
    Check.that(!loop.inEventLoop(), "a start blocks");
    DnsServer server =
        loop.submit(() -> new DnsServer(loop, catalog, options)).syncUninterruptibly().getNow();
    try {
      server.bind();
    } catch (IOException e) {
      server.close();
      throw e;
    }
    server.counters.register(metrics, options.connectionsMax());
    return server;
  }

  private void bind() throws IOException {
    int attempts = options.listen().getPort() == 0 ? FREE_PORT_ATTEMPTS : 1;
    for (int attempt = 1; ; attempt++) {
      Channel datagrams = channel(datagrams().bind(options.listen()));
      try {
        ports = new Ports(datagrams, channel(connections().bind(datagrams.localAddress())));
        return;
      } catch (IOException taken) {
        datagrams.close().syncUninterruptibly();
        if (attempt == attempts) {
          throw taken;
        }
      }
    }
  }

  private static Channel channel(ChannelFuture bound) throws IOException {
    if (bound.awaitUninterruptibly().isSuccess()) {
      return bound.channel();
    }
    throw new IOException(bound.cause().getMessage(), bound.cause());
  }

  private Bootstrap datagrams() {
    return DnsSockets.datagrams(loop, options.listen().getAddress())
        .handler(new UdpHandler(responder, limit, counters));
  }

  private ServerBootstrap connections() {
    return DnsSockets.connections(loop, options.listen().getAddress())
        .childHandler(
            new ChannelInitializer<SocketChannel>() {
              @Override
              protected void initChannel(SocketChannel channel) {
                new TcpHandler(responder, connections).addTo(channel.pipeline());
              }
            });
  }

  /** The bound address, with the real port in place of 0. */
  public InetSocketAddress address() {
    Ports bound = Objects.requireNonNull(ports, "a server that was started is bound");
    return (InetSocketAddress) bound.udp.localAddress();
  }

  /** Closes both ports and all connections. Returns when they are closed. */
  @Override
  public void close() {
    if (loop.isShuttingDown()) {
      return;
    }
    loop.submit(this::closeInLoop).syncUninterruptibly();
  }

  private void closeInLoop() {
    idleCheck.cancel(false);
    zone.close();
    Ports bound = ports;
    if (bound != null) {
      bound.udp.close();
      bound.tcp.close();
    }
    connections.closeAll();
  }
}
