package dev.waymark.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Passes TCP connections on to a server, and can be cut: then it ends all of them and accepts no
 * more, as if the server were down, while others still reach it. Thread-safe.
 */
public final class Relay implements AutoCloseable {
  private final int port = Waymark.freePort();
  private final String target;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();

  @SuppressWarnings("NullAway.Init")
  private volatile ServerSocket listener;

  private Relay(String target) {
    this.target = target;
  }

  /**
   * Starts one.
   *
   * @param target host:port
   */
  public static Relay to(String target) {
    Relay relay = new Relay(target);
    relay.join();
    return relay;
  }

  public String address() {
    return "127.0.0.1:" + port;
  }

  /** Ends all connections and accepts no more. */
  public void cut() {
    close(listener);
    open.forEach(Relay::close);
  }

  /** Accepts connections again. */
  public void join() {
    try {
      ServerSocket accepting = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
      listener = accepting;
      Thread.ofVirtual().start(() -> accept(accepting));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    cut();
  }

  private void accept(ServerSocket from) {
    while (!from.isClosed()) {
      try {
        Socket client = from.accept();
        open.add(client);
        String[] to = target.split(":");
        Socket server = new Socket(to[0], Integer.parseInt(to[1]));
        open.add(server);
        if (from.isClosed()) {
          cut();
          return;
        }
        Thread.ofVirtual().start(() -> pass(client, server));
        Thread.ofVirtual().start(() -> pass(server, client));
      } catch (IOException cutOrUnreachable) {
        open.removeIf(Socket::isClosed);
      }
    }
  }

  private static void pass(Socket from, Socket to) {
    try (from;
        to) {
      from.getInputStream().transferTo(to.getOutputStream());
    } catch (IOException closed) {
      // Both are closed here.
    }
  }

  private static void close(AutoCloseable each) {
    try {
      each.close();
    } catch (Exception closed) {
      throw new IllegalStateException(closed);
    }
  }
}
