package dev.waymark.upstreams.control;

import dev.waymark.engine.base.LoopTime;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;

/**
 * The control thread, its time, and the channel types of its transport. Immutable.
 *
 * @param time to be read only on this thread
 * @param datagramChannelType for DNS
 * @param socketChannelType for health Watches and DNS over TCP
 * @param domainChannelType for health Watches of {@code unix:} upstreams
 */
public record ControlLoop(
    EventLoop eventLoop,
    LoopTime time,
    Class<? extends DatagramChannel> datagramChannelType,
    Class<? extends SocketChannel> socketChannelType,
    Class<? extends Channel> domainChannelType) {
  /** Returns a control thread that uses NIO. */
  public static ControlLoop nio(EventLoop eventLoop, LoopTime time) {
    return new ControlLoop(
        eventLoop,
        time,
        NioDatagramChannel.class,
        NioSocketChannel.class,
        NioDomainSocketChannel.class);
  }
}
