package dev.waymark.tools.bench;

import io.netty.channel.Channel;
import io.netty.channel.IoHandlerFactory;

/**
 * What carries the sockets. Immutable.
 *
 * @param name as the user knows it: epoll, nio
 */
public record Sockets(
    String name, IoHandlerFactory ioHandlers, Class<? extends Channel> clientType) {}
