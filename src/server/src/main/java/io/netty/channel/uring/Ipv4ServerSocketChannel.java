package io.netty.channel.uring;

import io.netty.channel.Channel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.ServerSocketChannelConfig;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A listening socket for IPv4 alone. Netty's own ({@link IoUringServerSocketChannel}, 4.2.18) has
 * no constructor that takes the family, unlike those of NIO and epoll, and listens on IPv6 too
 * where the address is 0.0.0.0. It stands in Netty's package because its superclass is visible only
 * there (docs/decisions/0033). Confined to its event loop.
 */
public final class Ipv4ServerSocketChannel extends AbstractIoUringServerChannel
    implements ServerSocketChannel {
  private final IoUringServerSocketChannelConfig config;

  /** A socket that is not bound yet. */
  public Ipv4ServerSocketChannel() {
    super(LinuxSocket.newSocketStream(false), false);
    config = new IoUringServerSocketChannelConfig(this);
  }

  @Override
  public ServerSocketChannelConfig config() {
    return config;
  }

  @Override
  public InetSocketAddress localAddress() {
    return (InetSocketAddress) super.localAddress();
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return (InetSocketAddress) super.remoteAddress();
  }

  @Override
  protected void doBind(SocketAddress local) throws Exception {
    super.doBind(local);
    socket.listen(config.getBacklog());
    active = true;
  }

  /**
   * @param accepted the client's address as the kernel wrote it; null with multishot accept, where
   *     the socket is asked
   */
  @Override
  Channel newChildChannel(int descriptor, @Nullable ByteBuffer accepted) {
    LinuxSocket client = new LinuxSocket(descriptor);
    if (accepted == null) {
      return new IoUringSocketChannel(this, client);
    }
    IoUringIoHandler handler = registration().attachment();
    return new IoUringSocketChannel(
        this, client, SockaddrIn.getIPv4(accepted, handler.inet4AddressArray()));
  }
}
