package dev.waymark.tools.egress;

import dev.waymark.net.NettyTransport;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.resolver.dns.DnsAddressResolverGroup;
import io.netty.resolver.dns.DnsServerAddressStreamProviders;
import java.net.InetSocketAddress;

/** Opens TCP connections to the server. Thread-safe. */
final class ServerDialer implements AutoCloseable {
  private final Bootstrap template;
  private final DnsAddressResolverGroup resolver;

  ServerDialer(NettyTransport transport, EgressOptions options) {
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
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) options.connectTimeout().toMillis())
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_KEEPALIVE, true)
            .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
            // A read is asked for each time, so that the client's pace is the server's.
            .option(ChannelOption.AUTO_READ, false);
  }

  /** Dials on this event loop. */
  ChannelFuture dial(EventLoop loop, ChannelHandler handler) {
    return template.clone().group(loop).handler(handler).connect();
  }

  @Override
  public void close() {
    resolver.close();
  }
}
