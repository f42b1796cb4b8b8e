package dev.waymark.pool;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;

/**
 * The control thread, and the channel types that its transport understands. Immutable.
 *
 * @param datagramChannelType for DNS
 * @param socketChannelType for health Watches and DNS over TCP
 * @param domainChannelType for health Watches of `unix:` upstreams
 */
public record ControlLoop(
    EventLoop eventLoop,
    Class<? extends DatagramChannel> datagramChannelType,
    Class<? extends SocketChannel> socketChannelType,
    Class<? extends Channel> domainChannelType) {
  /** A control thread on Java's own selectors. */
  public static ControlLoop nio(EventLoop eventLoop) {
    return new ControlLoop(
        eventLoop, NioDatagramChannel.class, NioSocketChannel.class, NioDomainSocketChannel.class);
  }
}
