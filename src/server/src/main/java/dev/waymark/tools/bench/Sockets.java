package dev.waymark.tools.bench;

import io.netty.channel.Channel;
import io.netty.channel.IoHandlerFactory;

/**
 * The transport of the sockets. Immutable.
 *
 * @param name the name shown to the user, such as epoll or nio
 */
public record Sockets(
    String name, IoHandlerFactory ioHandlers, Class<? extends Channel> clientType) {}
