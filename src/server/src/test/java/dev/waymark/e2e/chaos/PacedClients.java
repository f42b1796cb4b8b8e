package dev.waymark.e2e.chaos;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Thousands of connections that send small requests in turn, at a given rate. Runs on the caller's
 * thread, to disturb the figures little. Confined to that thread.
 */
final class PacedClients implements AutoCloseable {
  private static final int REQUEST_BYTES = 100;
  private static final int LATE_MS = 4_000;

  private static final class Client {
    final SocketChannel socket;
    final int port;
    long asked;
    long repliedBytes;
    long sentNs;
    boolean isInFlight;
    boolean isAwaited;

    Client(SocketChannel socket) throws IOException {
      this.socket = socket;
      this.port = ((InetSocketAddress) socket.getLocalAddress()).getPort();
    }
  }

  private final Selector selector = Selector.open();
  private final List<Client> clients = new ArrayList<>();
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(REQUEST_BYTES);
  private final Latencies ordinary = new Latencies();
  private int next;
  private int awaited;

  /** Opens {@code count} connections. */
  PacedClients(int count, int port) throws IOException {
    InetSocketAddress bridge = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    for (int i = 0; i < count; i++) {
      SocketChannel socket = SocketChannel.open(bridge);
      socket.setOption(java.net.StandardSocketOptions.TCP_NODELAY, true);
      socket.configureBlocking(false);
      Client client = new Client(socket);
      socket.register(selector, SelectionKey.OP_READ, client);
      clients.add(client);
    }
  }

  /** Sends requests at this rate, on each connection in turn, until this time. */
  void load(int requestsPerSecond, long untilNs) throws IOException {
    long startNs = System.nanoTime();
    long asked = 0;
    for (long nowNs = startNs; nowNs - untilNs < 0; nowNs = System.nanoTime()) {
      long due = (nowNs - startNs) * requestsPerSecond / 1_000_000_000L;
      for (; asked < due; asked++) {
        askNext();
      }
      read(1, null);
    }
  }

  /** Makes each connection with these local ports wait for a reply, sending a request if needed. */
  void ask(Set<Integer> ports) throws IOException {
    for (Client client : clients) {
      if (ports.contains(client.port)) {
        client.isAwaited = true;
        awaited++;
        if (!client.isInFlight) {
          ask(client);
        }
      }
    }
  }

  /**
   * Waits until the connections given to {@link #ask(Set)} have their replies. The others continue.
   *
   * @param fromNs the start of the measured time
   * @param onLate called once if some still wait after {@value #LATE_MS} ms
   * @return the time from {@code fromNs} to each reply
   */
  Latencies awaitReplies(long fromNs, int requestsPerSecond, long untilNs, Runnable onLate)
      throws IOException {
    Latencies pauses = new Latencies();
    long asked = 0;
    boolean isLate = false;
    while (awaited > 0) {
      long nowNs = System.nanoTime();
      if (!isLate && nowNs - fromNs > LATE_MS * 1_000_000L) {
        isLate = true;
        onLate.run();
      }
      if (untilNs - nowNs <= 0) {
        throw new IOException(awaited + " connections got no reply");
      }
      long due = (nowNs - fromNs) * requestsPerSecond / 1_000_000_000L;
      for (; asked < due; asked++) {
        askNext();
      }
      read(1, new Measure(pauses, fromNs));
    }
    return pauses;
  }

  /** Returns the local ports of some connections whose awaited reply is missing. */
  List<Integer> waiting(int countMax) {
    return clients.stream()
        .filter(client -> client.isAwaited)
        .map(client -> client.port)
        .limit(countMax)
        .toList();
  }

  /** Returns the times from request to reply of all other requests. */
  Latencies ordinary() {
    return ordinary;
  }

  @Override
  public void close() throws IOException {
    for (Client client : clients) {
      client.socket.close();
    }
    selector.close();
  }

  private record Measure(Latencies pauses, long fromNs) {}

  private void askNext() throws IOException {
    next = (next + 1) % clients.size();
    Client client = clients.get(next);
    if (!client.isInFlight) {
      ask(client);
    }
  }

  private void ask(Client client) throws IOException {
    buffer.clear().limit(REQUEST_BYTES);
    for (int i = 0; i < REQUEST_BYTES; i++) {
      buffer.put(i, (byte) (client.asked + client.port + i));
    }
    client.asked++;
    client.sentNs = System.nanoTime();
    client.isInFlight = true;
    if (client.socket.write(buffer) != REQUEST_BYTES) {
      throw new IOException("the kernel did not take 100 bytes");
    }
  }

  private void read(long waitMs, @org.jspecify.annotations.Nullable Measure measure)
      throws IOException {
    selector.select(waitMs);
    for (SelectionKey key : selector.selectedKeys()) {
      Client client = (Client) key.attachment();
      buffer.clear();
      int bytes = client.socket.read(buffer);
      if (bytes < 0) {
        throw new IOException("the connection from port " + client.port + " was closed");
      }
      check(client, bytes);
      client.repliedBytes += bytes;
      if (client.repliedBytes == client.asked * REQUEST_BYTES) {
        replied(client, measure);
      }
    }
    selector.selectedKeys().clear();
  }

  private void check(Client client, int bytes) throws IOException {
    for (int i = 0; i < bytes; i++) {
      long offset = client.repliedBytes + i;
      byte expected =
          (byte) (offset / REQUEST_BYTES + client.port + (int) (offset % REQUEST_BYTES));
      if (!client.isInFlight || buffer.get(i) != expected) {
        throw new IOException("wrong byte at offset " + offset + ", from port " + client.port);
      }
    }
  }

  private void replied(Client client, @org.jspecify.annotations.Nullable Measure measure) {
    long nowNs = System.nanoTime();
    client.isInFlight = false;
    if (client.isAwaited && measure != null) {
      measure.pauses().add(nowNs - measure.fromNs());
    } else {
      ordinary.add(nowNs - client.sentNs);
    }
    if (client.isAwaited) {
      // If nothing is measured yet, the connection had moved before its upstream froze.
      client.isAwaited = false;
      awaited--;
    }
  }
}
