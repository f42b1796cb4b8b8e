package dev.waymark.tools.bench;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A plain echo server, to measure a proxy in front of. One thread, one buffer, one read and one
 * write per request, so that it contributes as little as possible to what is measured. Confined to
 * the thread that calls {@link #run}.
 */
public final class EchoServer implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 << 10;
  private static final int BACKLOG = 4_096;
  private static final long STOP_POLL_MS = 200;

  private final Selector selector;
  private final ServerSocketChannel server;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);

  /**
   * @param address where to listen; an IPv4 address, even the wildcard, is not served over IPv6,
   *     while {@code ::} is served over both
   * @throws IOException if the address cannot be bound
   */
  public EchoServer(InetSocketAddress address) throws IOException {
    selector = Selector.open();
    server = ServerSocketChannel.open(family(address));
    server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
    server.bind(address, BACKLOG);
    server.configureBlocking(false);
    server.register(selector, SelectionKey.OP_ACCEPT);
  }

  private static ProtocolFamily family(InetSocketAddress address) {
    return address.getAddress() instanceof Inet4Address
        ? StandardProtocolFamily.INET
        : StandardProtocolFamily.INET6;
  }

  /** The bound address. */
  public InetSocketAddress address() throws IOException {
    return (InetSocketAddress) server.getLocalAddress();
  }

  /** Serves until the latch is released. */
  public void run(CountDownLatch stop) throws IOException {
    while (stop.getCount() > 0) {
      selector.select(this::onReady, STOP_POLL_MS);
    }
  }

  @Override
  public void close() throws IOException {
    for (SelectionKey key : selector.keys()) {
      key.channel().close();
    }
    selector.close();
  }

  private void onReady(SelectionKey key) {
    try {
      if (key.channel() instanceof ServerSocketChannel) {
        accept();
      } else {
        echo(key, (SocketChannel) key.channel(), (ByteBuffer) key.attachment());
      }
    } catch (IOException reset) {
      end(key);
    }
  }

  private void accept() throws IOException {
    for (SocketChannel client = server.accept(); client != null; client = server.accept()) {
      client.configureBlocking(false);
      client.setOption(StandardSocketOptions.TCP_NODELAY, true);
      client.register(selector, SelectionKey.OP_READ);
    }
  }

  /**
   * Echoes what the socket has received.
   *
   * @param rest what the socket has not accepted yet; nothing is read before it is written
   */
  private void echo(SelectionKey key, SocketChannel client, @Nullable ByteBuffer rest)
      throws IOException {
    if (rest != null) {
      client.write(rest);
      if (!rest.hasRemaining()) {
        key.attach(null);
        key.interestOps(SelectionKey.OP_READ);
      }
      return;
    }
    buffer.clear();
    if (client.read(buffer) < 0) {
      end(key);
      return;
    }
    client.write(buffer.flip());
    if (buffer.hasRemaining()) {
      key.attach(ByteBuffer.allocate(buffer.remaining()).put(buffer).flip());
      key.interestOps(SelectionKey.OP_WRITE);
    }
  }

  private static void end(SelectionKey key) {
    try {
      key.channel().close();
    } catch (IOException gone) {
      key.cancel();
    }
  }
}
