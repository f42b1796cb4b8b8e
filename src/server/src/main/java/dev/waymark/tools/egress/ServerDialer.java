package dev.waymark.tools.egress;

import dev.waymark.net.NettyTransport;
import dev.waymark.net.dial.TlsFailures;
import dev.waymark.net.tls.OutputGuard;
import dev.waymark.net.tls.UpstreamTls;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.dns.DnsAddressResolverGroup;
import io.netty.resolver.dns.DnsServerAddressStreamProviders;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** Opens connections to the server, with TLS if wanted. Thread-safe. */
final class ServerDialer implements AutoCloseable {
  private final Bootstrap template;
  private final DnsAddressResolverGroup resolver;
  private final String server;
  private final int connectTimeoutMs;
  private final @Nullable UpstreamTls tls;

  /**
   * @param tls null for plain TCP; the caller closes it
   */
  ServerDialer(NettyTransport transport, EgressOptions options, @Nullable UpstreamTls tls) {
    this.server = options.server().text();
    this.connectTimeoutMs = (int) options.connectTimeout().toMillis();
    this.tls = tls;
    Class<? extends DatagramChannel> datagrams =
        transport.name().equals("epoll") ? EpollDatagramChannel.class : NioDatagramChannel.class;
    resolver =
        new DnsAddressResolverGroup(datagrams, DnsServerAddressStreamProviders.platformDefault());
    template =
        new Bootstrap()
            .channel(transport.clientType())
            .resolver(resolver)
            .remoteAddress(
                InetSocketAddress.createUnresolved(
                    options.server().host(), options.server().port()))
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectTimeoutMs)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_KEEPALIVE, true)
            .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
            // A read is asked for each time, so that the client's pace is the server's.
            .option(ChannelOption.AUTO_READ, false);
  }

  /**
   * Dials on this event loop.
   *
   * @param header to be sent first, before the TLS handshake as the PROXY protocol wants it
   *     (section 2.5 of its specification); null: none. Its reference passes to this method.
   * @return complete when the server is connected and, with TLS, verified; else fails with what
   *     people need to know. Its channel is there at once.
   */
  ChannelFuture dial(EventLoop loop, ChannelHandler handler, @Nullable ByteBuf header) {
    ChannelFuture connecting = template.clone().group(loop).handler(handler).connect();
    // On this loop even if there is no socket, for want of a file descriptor.
    ChannelPromise ready = new DefaultChannelPromise(connecting.channel(), loop);
    connecting.addListener(_ -> onConnected(connecting, ready, header));
    return ready;
  }

  private void onConnected(
      ChannelFuture connecting, ChannelPromise ready, @Nullable ByteBuf header) {
    Throwable failure = connecting.cause();
    if (failure != null) {
      ReferenceCountUtil.release(header);
      ready.setFailure(failure);
      return;
    }
    Channel channel = connecting.channel();
    if (header != null) {
      channel.writeAndFlush(header);
    }
    if (tls == null) {
      ready(channel, ready);
    } else {
      shakeHands(channel, tls, ready);
    }
  }

  private void shakeHands(Channel channel, UpstreamTls with, ChannelPromise ready) {
    // A FIN during the handshake ends it; later it leaves the other direction open.
    channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, false);
    SslHandler handler = with.newHandler(server, channel.alloc());
    handler.setHandshakeTimeoutMillis(connectTimeoutMs);
    handler
        .handshakeFuture()
        .addListener(done -> {
          if (done.isSuccess()) {
            channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
            ready(channel, ready);
          } else {
            ready.setFailure(new IOException(problem(done.cause())));
          }
        });
    channel.pipeline().addFirst(new OutputGuard(), handler);
  }

  /**
   * The client's bytes may follow. If this process dies, the kernel resets the connection: a FIN
   * would say that the client has sent all that it had to say.
   */
  private static void ready(Channel channel, ChannelPromise ready) {
    if (channel.isOpen()) {
      channel.config().setOption(ChannelOption.SO_LINGER, 0);
    }
    ready.setSuccess();
  }

  /** Closes a connection with a FIN: otherwise its end is a reset. */
  static void finish(Channel server) {
    if (server.isOpen()) {
      server.config().setOption(ChannelOption.SO_LINGER, -1);
      server.close();
    }
  }

  /** What people need to know of a failure of TLS. */
  static String problem(Throwable cause) {
    return "TLS with the server: " + TlsFailures.problemOf(cause).text();
  }

  @Override
  public void close() {
    resolver.close();
  }
}
