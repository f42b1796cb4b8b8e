package dev.waymark.tools.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollChannelOption;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Opens connections, cycling through targets and sources. Confined to its event loop. */
final class Dialer {
  static final int CONNECT_TIMEOUT_MS = 10_000;

  private static final int READ_BYTES_MIN = 2 << 10;
  private static final int READ_BYTES_MAX = 64 << 10;

  private final Bootstrap bootstrap;
  private final List<InetSocketAddress> targets;
  private final List<InetAddress> sources;
  private final LoopBuffers buffers;
  private final @Nullable BenchTls tls;

  /**
   * @param tls null if connections do not speak TLS
   */
  Dialer(BenchOptions options, Sockets sockets, @Nullable BenchTls tls, EventLoop loop) {
    this.tls = tls;
    this.targets = options.targets();
    this.sources = options.sources();
    int reply = new Sizes(options.sizes()).largest();
    int read = Math.clamp((long) reply * options.window(), READ_BYTES_MIN, READ_BYTES_MAX);
    // One byte more than a reply: a read that does not fill the buffer needs no second one.
    buffers = new LoopBuffers(read + 1);
    bootstrap =
        new Bootstrap()
            .group(loop)
            .channel(sockets.clientType())
            .disableResolver()
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS);
    if (tls == null) {
      // With TLS, the start of an incomplete record has to be kept.
      bootstrap.option(ChannelOption.RECVBUF_ALLOCATOR, buffers.receiver());
    }
    if (options.isReset()) {
      bootstrap.option(ChannelOption.SO_LINGER, 0);
    }
    if (!sources.isEmpty() && sockets.name().equals("epoll")) {
      // The kernel picks the port at connect, so each source has all ports for each target.
      bootstrap.option(EpollChannelOption.IP_BIND_ADDRESS_NO_PORT, true);
    }
  }

  /** The buffers shared by all connections of the loop. */
  LoopBuffers buffers() {
    return buffers;
  }

  void connect(BenchConnection connection) {
    int number = connection.number();
    InetSocketAddress target = targets.get(number % targets.size());
    Bootstrap one = bootstrap.clone().handler(handler(target, connection));
    ChannelFuture result;
    if (sources.isEmpty()) {
      result = one.connect(target);
    } else {
      InetAddress source = sources.get(number / targets.size() % sources.size());
      result = one.connect(target, new InetSocketAddress(source, 0));
    }
    result.addListener(done -> {
      if (done.cause() != null) {
        connection.onRefused(SocketErrors.connectFailure(target, done.cause()));
      }
    });
  }

  private ChannelHandler handler(InetSocketAddress target, BenchConnection connection) {
    BenchTls speaks = tls;
    if (speaks == null) {
      return connection;
    }
    return new ChannelInitializer<Channel>() {
      @Override
      protected void initChannel(Channel channel) {
        channel
            .pipeline()
            .addLast(speaks.newHandler(target, channel.alloc()))
            .addLast(new BenchHandshake(speaks, target, connection))
            .addLast(connection);
      }
    };
  }
}
