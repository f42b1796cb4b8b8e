package dev.waymark.net.listener;

import dev.waymark.config.ListenAddresses;
import dev.waymark.config.ListenerConfig;
import dev.waymark.config.ListenerKeys;
import dev.waymark.config.ProxyProtocolKeys;
import dev.waymark.config.TlsKeys;
import dev.waymark.net.admission.Admission;
import dev.waymark.net.tls.ServerTls;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.ProxyFacts;
import dev.waymark.protocol.TlsFacts;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A port that accepts clients and spreads their sockets evenly over the shards. There is only one
 * acceptor, since long-lived connections spread unevenly over SO_REUSEPORT sockets. A port's
 * address never changes, but its listener may. Thread-safe.
 */
public final class ListenerPort {
  /**
   * The settings that all ports share.
   *
   * @param acceptLoop runs the listening socket
   * @param shards run the clients' sockets, assigned in turn
   * @param servers opens listening sockets
   * @param userTimeoutMs the channel type's TCP_USER_TIMEOUT; null if it has none
   * @param readBytesMax the largest read from a client's socket
   * @param isMemoryShort whether too much memory is held; called for each read
   * @param descriptors shared by all ports
   * @param memory shared by all ports
   * @param clockNs monotonic, and the same on all threads
   */
  public record Sockets(
      EventLoop acceptLoop,
      EventLoopGroup shards,
      ServerSockets servers,
      @Nullable ChannelOption<Integer> userTimeoutMs,
      int readBytesMax,
      BooleanSupplier isMemoryShort,
      DescriptorLimit descriptors,
      MemoryPauses memory,
      LongSupplier clockNs) {}

  /**
   * The listener to which the port currently belongs.
   *
   * @param tls null if it does not speak TLS
   */
  record Use(
      String listener, ListenerCounters counters, Admission admission, @Nullable ServerTls tls) {}

  /** How long a closed port of this process may take to become free. */
  private static final long REBIND_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(1);

  private static final long REBIND_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(2);

  private final InetSocketAddress wanted;

  /** As configured; after the first bind with the actual port. */
  private volatile InetSocketAddress bindAddress;

  private final int backlog;
  private final Sockets sockets;

  /** Shared by all clients; by default each would have its own. */
  private final ReadSizes readSizes;

  private final Acceptor acceptor;
  private final ListenerEvents events;
  private final Admitter admitter;
  private final Map<EventLoop, HandshakeQueue> handshakes = new ConcurrentHashMap<>();
  private volatile Use use;
  private volatile @Nullable Channel channel;
  private volatile @Nullable AcceptGate gate;

  /**
   * Creates a port that is not open yet.
   *
   * @param counters those of the listener
   * @param admission that of the listener
   * @param tls null if the listener does not speak TLS
   */
  public ListenerPort(
      ListenerConfig config,
      ListenerCounters counters,
      Admission admission,
      @Nullable ServerTls tls,
      Sockets sockets,
      Acceptor acceptor,
      ListenerEvents events) {
    this.wanted = config.address();
    this.bindAddress = wanted;
    this.backlog = config.get(ListenerKeys.BACKLOG);
    this.use = new Use(config.name(), counters, admission, tls);
    this.sockets = sockets;
    this.readSizes = new ReadSizes(sockets.readBytesMax(), sockets.isMemoryShort());
    this.acceptor = acceptor;
    this.events = events;
    this.admitter = new Admitter(sockets.clockNs(), events);
  }

  /**
   * Binds the port: from now on clients wait in the kernel's backlog. After {@link #close} it may
   * be bound again, to the same port number. Blocks; must not be called on an event loop.
   *
   * @throws IOException if the address cannot be bound; the message names it
   */
  public void bind() throws IOException {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(sockets.acceptLoop(), sockets.shards())
            .channelFactory(() -> sockets.servers().open(bindAddress.getAddress()))
            .option(ChannelOption.SO_BACKLOG, backlog)
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.AUTO_READ, false)
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel server) {
                    AcceptGate created =
                        new AcceptGate(
                            server,
                            ListenerPort.this::use,
                            acceptor,
                            admitter,
                            events,
                            sockets.descriptors());
                    gate = created;
                    server.pipeline().addLast("accept-gate", created);
                  }
                })
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WriteBufferWaterMark.DEFAULT)
            .childOption(ChannelOption.RECVBUF_ALLOCATOR, readSizes)
            .childHandler(new ClientInitializer());
    var bound = bootstrap.bind(bindAddress).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      Throwable cause = Objects.requireNonNull(bound.cause());
      throw new IOException(SystemErrors.reason(cause), cause);
    }
    channel = bound.channel();
    bindAddress = address();
  }

  /**
   * Like {@link #bind}, but retries for a second, because a port of this process has just been
   * closed to make room: NIO frees it only in the next turn of its loop.
   */
  public void bindWithRetry() throws IOException {
    for (long leftNs = REBIND_TIMEOUT_NS; ; leftNs -= REBIND_INTERVAL_NS) {
      try {
        bind();
        return;
      } catch (IOException inUse) {
        if (leftNs <= 0) {
          throw inUse;
        }
      }
      LockSupport.parkNanos(REBIND_INTERVAL_NS);
    }
  }

  /** Starts accepting, including clients that wait. Only after {@link #bind}. Any thread. */
  public void accept() {
    use.admission().start(sockets.clockNs().getAsLong());
    onGate(AcceptGate::start);
    applyMemoryPause();
  }

  /**
   * Assigns the port to this listener. Any thread.
   *
   * @param tls null if the listener does not speak TLS
   */
  public void use(
      String listener, ListenerCounters counters, Admission admission, @Nullable ServerTls tls) {
    use = new Use(listener, counters, admission, tls);
  }

  /** Stops accepting; connections stay open. Blocks; must not be called on an event loop. */
  public void close() {
    Channel open = channel;
    if (open != null) {
      open.close().awaitUninterruptibly();
    }
  }

  /** Pauses or resumes accepting, as {@link Sockets#memory} says. Any thread. */
  public void applyMemoryPause() {
    // Reads the state on the gate's loop, because shards pause and resume concurrently.
    onGate(opened -> {
      if (sockets.memory().isPaused()) {
        opened.close(AcceptGate.Reason.MEMORY, "over the memory budget");
      } else {
        opened.open(AcceptGate.Reason.MEMORY);
      }
    });
  }

  private void onGate(Consumer<AcceptGate> action) {
    AcceptGate opened = gate;
    Channel open = channel;
    if (opened != null && open != null) {
      open.eventLoop().execute(() -> action.accept(opened));
    }
  }

  private Use use() {
    return use;
  }

  /** Returns the name of its listener. */
  public String listener() {
    return use.listener();
  }

  /** Whether it has the configured address and, if any port number will do, the same listener. */
  public boolean isFor(ListenerConfig config) {
    return wanted.equals(config.address())
        && (wanted.getPort() != 0 || use.listener().equals(config.name()));
  }

  /** Whether this port must be closed before the address can be bound. */
  public boolean conflictsWith(InetSocketAddress address) {
    return ListenAddresses.exclude(bindAddress, address);
  }

  /** Returns the actual address: its port is never 0. Only after {@link #bind}. */
  public InetSocketAddress address() {
    SocketAddress local = Objects.requireNonNull(channel, "not open").localAddress();
    return (InetSocketAddress) local;
  }

  /** Returns host:port, with IPv6 in brackets and with its zone, so that it can be dialled. */
  public static String text(InetSocketAddress address) {
    String text = SocketClient.text(address);
    return address.getAddress() instanceof Inet6Address six && six.getScopeId() != 0
        ? text.replace("]", "%" + six.getScopeId() + "]")
        : text;
  }

  /**
   * The pipeline of a client. Its last handler, {@code client}, makes a connection of it at {@code
   * channelActive}; those before it hold that event back until they are done ({@link
   * ClientHandler}).
   */
  private final class ClientInitializer extends ChannelInitializer<SocketChannel> {
    @Override
    protected void initChannel(SocketChannel client) {
      Use now = use;
      Optional<ListenerConfig> behindProxy = AcceptGate.takeBehindProxy(client);
      ListenerConfig config =
          behindProxy.orElseGet(() -> acceptor.listener(client.eventLoop(), now.listener()));
      if (behindProxy.isPresent() && !isTrusted(config, client)) {
        refuse(client, now, RefusalReason.PROXY_UNTRUSTED);
        return;
      }
      if (!now.counters().enter(config.get(ListenerKeys.CONNECTIONS_MAX))) {
        refuse(client, now, RefusalReason.CONNECTIONS_MAX);
        return;
      }
      setOptions(client, config);
      LongSupplier clockNs = acceptor.clockNs(client.eventLoop());
      SocketClient socket = new SocketClient(client, clockNs);
      ChannelPipeline pipeline = client.pipeline();
      if (behindProxy.isPresent()) {
        String proxy = socket.clientAddress();
        ProxyOutcome outcome = new ProxyOutcome(now, socket, proxy, admitter);
        long timeoutNs = config.get(ProxyProtocolKeys.HEADER_TIMEOUT).toNanos();
        pipeline.addLast(
            "proxy-header", new ProxyHeaderHandler(proxy, clockNs, timeoutNs, outcome));
      }
      ClientHandler handler =
          new ClientHandler(socket, now.listener(), acceptor, now.counters(), events);
      if (now.tls() != null) {
        addTls(pipeline, config, now, socket, handler);
      }
      pipeline.addLast("client", handler);
    }

    private void addTls(
        ChannelPipeline pipeline,
        ListenerConfig config,
        Use now,
        SocketClient socket,
        ClientHandler handler) {
      ServerTls tls = Objects.requireNonNull(now.tls());
      HandshakeQueue queue =
          handshakes.computeIfAbsent(socket.channel().eventLoop(), HandshakeQueue::new);
      TlsStage stage =
          new TlsStage(
              tls,
              config.get(TlsKeys.MISSING_CLOSE_NOTIFY),
              acceptor.clockNs(socket.channel().eventLoop()),
              config.get(TlsKeys.HANDSHAKE_TIMEOUT).toNanos(),
              new TlsOutcome(
                  now, config.get(TlsKeys.HANDSHAKES_MAX), queue, socket, handler, events));
      pipeline.addLast("tls-hello", new ClientHelloHandler(tls, stage, queue));
      pipeline.addLast("tls-stage", stage);
    }

    private static boolean isTrusted(ListenerConfig config, SocketChannel client) {
      InetSocketAddress peer = client.remoteAddress();
      return peer != null
          && config.get(ProxyProtocolKeys.TRUSTED).stream()
              .anyMatch(network -> network.contains(peer.getAddress()));
    }

    private void refuse(SocketChannel client, Use now, RefusalReason reason) {
      now.counters().refuse(reason);
      events.onRefused(now.listener(), SocketClient.text(client.remoteAddress()), reason, "");
      client.close();
    }

    private void setOptions(SocketChannel client, ListenerConfig config) {
      client
          .config()
          .setTcpNoDelay(config.get(ListenerKeys.NO_DELAY))
          .setKeepAlive(config.get(ListenerKeys.KEEP_ALIVE));
      ChannelOption<Integer> userTimeoutMs = sockets.userTimeoutMs();
      Duration userTimeout = config.get(ListenerKeys.USER_TIMEOUT);
      if (userTimeoutMs != null && userTimeout.isPositive()) {
        client.config().setOption(userTimeoutMs, (int) userTimeout.toMillis());
      }
    }
  }

  /** What becomes of a client behind a proxy. */
  private record ProxyOutcome(Use use, SocketClient socket, String peer, Admitter admitter)
      implements ProxyHeaderHandler.Outcome {
    @Override
    public boolean onReady(ProxyFacts facts) {
      socket.proxy(facts);
      boolean isNamed = facts.hasClientAddress() && !facts.sourceAddress().equals(peer);
      InetAddress source =
          isNamed ? NetUtil.createInetAddressFromIpAddressString(socket.clientHost()) : null;
      return admitter.admit(use, socket.channel(), source, socket::clientAddress);
    }

    @Override
    public void onCheck() {
      use.counters().proxyCheck();
    }

    @Override
    public void onRefused(RefusalReason reason, String detail) {
      use.counters().refuse(reason);
      admitter.events().onRefused(use.listener(), peer, reason, detail);
    }
  }

  /** What becomes of a client that speaks TLS. */
  private record TlsOutcome(
      Use use,
      int handshakesMax,
      HandshakeQueue queue,
      SocketClient socket,
      ClientHandler handler,
      ListenerEvents events)
      implements TlsStage.Outcome {
    @Override
    public boolean onHandshake() {
      return use.counters().enterHandshake(handshakesMax)
          || (queue.evict() && use.counters().enterHandshake(handshakesMax));
    }

    @Override
    public void onReady(TlsFacts facts) {
      use.counters().countHandshake();
      socket.tls(facts);
    }

    @Override
    public void onRefused(RefusalReason reason, String detail) {
      use.counters().refuse(reason);
      events.onRefused(use.listener(), socket.clientAddress(), reason, detail);
    }

    @Override
    public void onLost(CloseReason reason) {
      handler.lose(reason);
    }

    @Override
    public void onHandshakeOver() {
      use.counters().leaveHandshake();
    }
  }
}
