package dev.waymark.listener;

import dev.waymark.config.ListenerConfig;
import dev.waymark.core.Framing;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A port that accepts clients and spreads their sockets evenly over the shards: one acceptor, since
 * long-lived connections spread unevenly over SO_REUSEPORT sockets. Thread-safe.
 */
public final class ListenerPort {
  /**
   * The transport under the sockets.
   *
   * @param acceptLoop runs the listening socket
   * @param shards run the clients' sockets, in turn
   * @param userTimeoutMs the channel type's TCP_USER_TIMEOUT; null where it has none
   * @param descriptors shared by all ports
   */
  public record Sockets(
      EventLoop acceptLoop,
      EventLoopGroup shards,
      Class<? extends ServerChannel> channelType,
      @Nullable ChannelOption<Integer> userTimeoutMs,
      DescriptorLimit descriptors) {}

  private final ListenerConfig config;
  private final Sockets sockets;
  private final Acceptor acceptor;
  private final ListenerEvents events;
  private final ListenerCounters counters = new ListenerCounters();
  private final AtomicInteger memoryPauses = new AtomicInteger();
  private volatile @Nullable Channel channel;
  private volatile @Nullable AcceptGate gate;

  public ListenerPort(
      ListenerConfig config, Sockets sockets, Acceptor acceptor, ListenerEvents events) {
    this.config = config;
    this.sockets = sockets;
    this.acceptor = acceptor;
    this.events = events;
  }

  /**
   * Binds and accepts from now on. Blocks; not on an event loop.
   *
   * @throws IOException if the address cannot be bound; the message names it
   */
  public void open() throws IOException {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(sockets.acceptLoop(), sockets.shards())
            .channel(sockets.channelType())
            .option(ChannelOption.SO_BACKLOG, config.backlog())
            .option(ChannelOption.SO_REUSEADDR, true)
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel server) {
                    AcceptGate created =
                        new AcceptGate(
                            server, config.name(), counters, events, sockets.descriptors());
                    gate = created;
                    server.pipeline().addLast("accept-gate", created);
                  }
                })
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childOption(ChannelOption.TCP_NODELAY, config.isNoDelay())
            .childOption(ChannelOption.SO_KEEPALIVE, config.isKeepAlive())
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WriteBufferWaterMark.DEFAULT)
            .childHandler(new ClientInitializer());
    if (sockets.userTimeoutMs() != null && config.userTimeout().isPositive()) {
      bootstrap.childOption(sockets.userTimeoutMs(), (int) config.userTimeout().toMillis());
    }
    var bound = bootstrap.bind(config.address()).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      Throwable cause = Objects.requireNonNull(bound.cause());
      throw new IOException(
          Objects.requireNonNullElse(cause.getMessage(), cause.toString()), cause);
    }
    channel = bound.channel();
  }

  /** Stops accepting; connections go on. Blocks until the port is free; not on an event loop. */
  public void close() {
    Channel open = channel;
    if (open != null) {
      open.close().awaitUninterruptibly();
    }
  }

  /**
   * A shard is over the memory budget: accepts nothing until as many calls of {@link
   * #resumeForMemory}. Any thread.
   */
  public void pauseForMemory() {
    memoryPauses.incrementAndGet();
    settleMemory();
  }

  /** The counterpart of {@link #pauseForMemory}. Any thread. */
  public void resumeForMemory() {
    memoryPauses.decrementAndGet();
    settleMemory();
  }

  /** Decides on the gate's own loop, by what holds then: shards pause and resume side by side. */
  private void settleMemory() {
    AcceptGate opened = gate;
    Channel open = channel;
    if (opened != null && open != null) {
      open.eventLoop()
          .execute(() -> {
            if (memoryPauses.get() > 0) {
              opened.close(AcceptGate.Reason.MEMORY, "over the memory budget");
            } else {
              opened.open(AcceptGate.Reason.MEMORY);
            }
          });
    }
  }

  /** What it was made of. */
  public ListenerConfig config() {
    return config;
  }

  /** Its totals, read by any thread. */
  public ListenerCounters counters() {
    return counters;
  }

  /** Where it listens in fact: the port is never 0. Only after {@link #open}. */
  public InetSocketAddress address() {
    SocketAddress local = Objects.requireNonNull(channel, "not open").localAddress();
    return (InetSocketAddress) local;
  }

  /** host:port, IPv6 in brackets. */
  public static String text(InetSocketAddress address) {
    return SocketClient.text(address);
  }

  private final class ClientInitializer extends ChannelInitializer<SocketChannel> {
    @Override
    protected void initChannel(SocketChannel client) {
      if (!counters.enter(config.connectionsMax())) {
        events.onRefused(
            config.name(), SocketClient.text(client.remoteAddress()), config.connectionsMax());
        client.close();
        return;
      }
      client.closeFuture().addListener(_ -> counters.leave());
      Framer framer =
          config.framing() instanceof Framing.Raw
              ? null
              : Framer.of(config.framing(), config.frameBytesMax());
      client
          .pipeline()
          .addLast(
              "client",
              new ClientHandler(
                  new SocketClient(client, acceptor::nowNs), config.name(), framer, acceptor));
    }
  }
}
