package dev.waymark.api.http;

import dev.waymark.api.http.Authenticator.Credentials;
import dev.waymark.api.http.Route.Refusal;
import dev.waymark.api.http.Route.Request;
import dev.waymark.engine.base.LoopClock;
import dev.waymark.net.tls.ServerTls;
import dev.waymark.protocol.Check;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.stream.ChunkedWriteHandler;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.nio.channels.spi.SelectorProvider;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A small HTTP server for operators: a table of routes, with limits on connections, threads, and
 * the size and duration of a request. Thread-safe.
 *
 * <p>Its own event loop handles all sockets and answers probes itself; worker threads answer
 * everything else. So no peer, however slow or silent, delays a probe (docs/decisions/0030).
 * Buffers are on the heap: the port answers even when direct memory is exhausted.
 */
public final class HttpPort {
  /** Open connections; see {@link HttpConnections}. */
  private static final int CONNECTIONS_MAX = 256;

  /** Requests answered concurrently; others wait, except {@linkplain Route#isProbe probes}. */
  private static final int THREADS_MAX = 16;

  private static final long THREAD_IDLE_SECONDS = 10;
  private static final int BACKLOG = 1_024;
  private static final int REQUEST_LINE_BYTES_MAX = 8 * 1024;
  private static final int HEADERS_BYTES_MAX = 16 * 1024;
  private static final int BODY_PIECE_BYTES_MAX = 8 * 1024;

  /** Maximum bytes read from a connection per turn of the loop, so that no connection hogs it. */
  private static final int READ_BYTES_MAX = 8 * 1024;

  private static final long STOP_TIMEOUT_MS = 1_000;

  private final InetSocketAddress wanted;
  private final EventLog log;
  private final AuditLog audit;
  private final HttpRoutes routes;
  private final HttpConnections connections = new HttpConnections(CONNECTIONS_MAX);
  private final Authenticator authenticator;
  private final AtomicLong refused = new AtomicLong();
  private final Map<Denial, AtomicLong> denied = new EnumMap<>(Denial.class);
  private @Nullable MultiThreadIoEventLoopGroup loop;
  private @Nullable ThreadPoolExecutor workers;
  private @Nullable ThreadPoolExecutor handshakes;
  private @Nullable Channel server;

  /** The part of a port that its connections use. */
  final class Shared {
    private final Executor workers;
    private final LongSupplier monotonicNs;
    private final LoopClock clock = new LoopClock(_ -> {});

    private final Executor handshakes;
    private final @Nullable ServerTls tls;

    Shared(
        Executor workers, Executor handshakes, LongSupplier monotonicNs, @Nullable ServerTls tls) {
      this.workers = workers;
      this.handshakes = handshakes;
      this.monotonicNs = monotonicNs;
      this.tls = tls;
    }

    /** Starts the clock: from now on {@link #tick} is called every {@link LoopClock#TICK_NS}. */
    void start() {
      clock.start(monotonicNs.getAsLong());
    }

    /**
     * Has connections check their deadlines. After a standstill of the port, first lets the loop
     * read what arrived meanwhile.
     */
    void tick() {
      long nowNs = nowNs();
      if (!clock.isDeferringDeadlines()) {
        connections.onTick(nowNs);
      }
    }

    /** The time of the port's loop, excluding its standstills (docs/decisions/0029). */
    long nowNs() {
      return clock.nowNs(monotonicNs.getAsLong());
    }

    HttpRoutes routes() {
      return routes;
    }

    HttpConnections connections() {
      return connections;
    }

    Executor workers() {
      return workers;
    }

    /** Runs the costly steps of TLS handshakes, so that they delay no probe. */
    Executor handshakes() {
      return handshakes;
    }

    EventLog log() {
      return log;
    }

    /** What speaks TLS; null if the port speaks plain HTTP. */
    @Nullable ServerTls tls() {
      return tls;
    }

    /**
     * Whether this request is let in: who sends it, or why not.
     *
     * @param certificate the names in the client certificate; empty: there is none
     */
    Authentication admit(
        Channel channel, HttpRequest head, String target, Optional<List<String>> certificate) {
      if (routes.isOpen(target)) {
        return Sender.ANYBODY;
      }
      Credentials shown =
          new Credentials(head.headers().getAll(HttpHeaderNames.AUTHORIZATION), certificate);
      return switch (authenticator.admit(shown)) {
        case Denial denial -> denial;
        case Sender sender -> {
          String method = head.method().name();
          if (sender.mayOperate() || Request.isRead(method)) {
            yield sender;
          }
          audit.refused(sender.name(), clientOf(channel), method, target, Denial.ROLE.result());
          yield Denial.ROLE;
        }
      };
    }

    void onDenied(Channel channel, String target, Denial denial) {
      Objects.requireNonNull(denied.get(denial)).incrementAndGet();
      logRefused(channel, AuditLog.path(target), denial.message());
    }

    /** Any thread. */
    Reply reply(Route route, Request request) {
      try {
        return route.answer().to(request);
      } catch (Refusal refusal) {
        return refusal.reply();
      } catch (RuntimeException bug) {
        log.write(Event.BUG, "where", "admin", "path", route.path(), "error", bug);
        return Reply.error(500, "internal error; see the log");
      }
    }

    void onRefused(Channel channel, String target, Refusal refusal) {
      if (refusal.isForeign()) {
        refused.incrementAndGet();
        logRefused(channel, target, refusal.getMessage());
      }
    }

    /** No HTTP is spoken with this client. */
    void onTlsRefused(Channel channel, String reason) {
      logRefused(channel, "", reason);
    }

    private void logRefused(Channel channel, String path, @Nullable String reason) {
      log.write(Event.ADMIN_REFUSED, "client", clientOf(channel), "path", path, "reason", reason);
    }
  }

  /**
   * Creates a port that is not open yet. {@code /} is an index of the routes unless one of them has
   * that path.
   *
   * @param hosts names accepted as Host besides addresses, localhost and names below it, and names
   *     without a dot
   * @param authenticator asked for every request to a route that is not {@linkplain Route#isOpen
   *     open}
   */
  public HttpPort(
      InetSocketAddress address,
      Collection<String> hosts,
      List<Route> routes,
      Authenticator authenticator,
      EventLog log) {
    this.wanted = address;
    this.authenticator = authenticator;
    this.log = log;
    this.audit = new AuditLog(log);
    for (Denial denial : Denial.values()) {
      denied.put(denial, new AtomicLong());
    }
    this.routes = new HttpRoutes(routes, new HttpGuard(hosts));
  }

  /**
   * Opens the port for plain HTTP.
   *
   * @throws AddressInUse if the address cannot be bound
   */
  public void start() {
    start(null);
  }

  /**
   * Opens the port.
   *
   * @param tls what speaks TLS, with the JDK's engine; null: plain HTTP. The caller closes it.
   * @throws AddressInUse if the address cannot be bound
   */
  public void start(@Nullable ServerTls tls) {
    Check.that(loop == null, "a port can only be started once");
    if (wanted.isUnresolved()) {
      throw new AddressInUse(wanted, "unknown host");
    }
    MultiThreadIoEventLoopGroup started =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("admin", true), NioIoHandler.newFactory());
    ThreadPoolExecutor threads = threads("admin-worker", THREADS_MAX);
    ThreadPoolExecutor handshakeThread = threads("admin-handshakes", 1);
    loop = started;
    workers = threads;
    handshakes = handshakeThread;
    Shared shared = new Shared(threads, handshakeThread, System::nanoTime, tls);
    startTicking(started.next(), shared);
    ChannelFuture bound = bind(started, shared);
    if (!bound.isSuccess()) {
      stop();
      Throwable cause = Objects.requireNonNull(bound.cause());
      throw new AddressInUse(
          wanted, Objects.requireNonNullElse(cause.getMessage(), cause.toString()));
    }
    server = bound.channel();
  }

  /** Each connection has at most one task at a time. */
  private static ThreadPoolExecutor threads(String name, int max) {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            max,
            max,
            THREAD_IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(CONNECTIONS_MAX),
            new DefaultThreadFactory(name, true));
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  private static void startTicking(EventLoop on, Shared shared) {
    on.execute(shared::start);
    var _ =
        on.scheduleWithFixedDelay(
            shared::tick, LoopClock.TICK_NS, LoopClock.TICK_NS, TimeUnit.NANOSECONDS);
  }

  private ChannelFuture bind(MultiThreadIoEventLoopGroup started, Shared shared) {
    return new ServerBootstrap()
        .group(started)
        .channelFactory(this::listeningSocket)
        .option(ChannelOption.SO_BACKLOG, BACKLOG)
        .option(ChannelOption.SO_REUSEADDR, true)
        .childOption(ChannelOption.AUTO_READ, false)
        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childOption(
            ChannelOption.RECVBUF_ALLOCATOR,
            new FixedRecvByteBufAllocator(READ_BYTES_MAX).maxMessagesPerRead(1))
        .childOption(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false))
        .childHandler(
            new ChannelInitializer<SocketChannel>() {
              @Override
              protected void initChannel(SocketChannel client) {
                ServerTls tls = shared.tls();
                HttpTls own = tls == null ? null : new HttpTls(tls, shared, client);
                if (own != null) {
                  client.pipeline().addLast(own.newHandler(), own);
                }
                client
                    .pipeline()
                    .addLast("http", new HttpServerCodec(limits()))
                    .addLast("pieces", new ChunkedWriteHandler())
                    .addLast("admin", new HttpConnection(shared, client, own));
              }
            })
        .bind(wanted)
        .awaitUninterruptibly();
  }

  /** Uses the address's own family: otherwise an IPv4 wildcard would bind IPv6 as well. */
  private NioServerSocketChannel listeningSocket() {
    boolean isIpv4 = wanted.getAddress() instanceof Inet4Address;
    return new NioServerSocketChannel(
        SelectorProvider.provider(),
        isIpv4 ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6);
  }

  /** The other end of a connection, host:port, IPv6 in brackets. */
  static String clientOf(Channel channel) {
    return channel.remoteAddress() instanceof InetSocketAddress address
        ? NetUtil.toSocketAddressString(address)
        : String.valueOf(channel.remoteAddress());
  }

  /** How much of a request is read. */
  static HttpDecoderConfig limits() {
    return new HttpDecoderConfig()
        .setMaxInitialLineLength(REQUEST_LINE_BYTES_MAX)
        .setMaxHeaderSize(HEADERS_BYTES_MAX)
        .setMaxChunkSize(BODY_PIECE_BYTES_MAX);
  }

  /** The address that the port listens on; once open, with the actual port if 0 was requested. */
  public InetSocketAddress address() {
    return server == null ? wanted : (InetSocketAddress) server.localAddress();
  }

  /** Closes the port and its connections. */
  public void stop() {
    if (loop != null) {
      loop.shutdownGracefully(0, STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS)
          .awaitUninterruptibly(STOP_TIMEOUT_MS);
    }
    if (workers != null) {
      workers.shutdownNow();
    }
    if (handshakes != null) {
      handshakes.shutdownNow();
    }
  }

  /** Number of requests refused for their Host, or because a page of another site sent them. */
  public long refused() {
    return refused.get();
  }

  /** Number of requests refused for their credentials. */
  public long denied(Denial why) {
    return Objects.requireNonNull(denied.get(why)).get();
  }

  /** Number of connections closed to make room for others. */
  public long evicted() {
    return connections.evicted();
  }
}
