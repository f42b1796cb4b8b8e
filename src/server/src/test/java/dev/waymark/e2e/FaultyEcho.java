package dev.waymark.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A TCP echo that can change what it sends back. Thread-safe. */
final class FaultyEcho implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 << 10;

  private final ServerSocket server;
  private final Fault fault;
  private final Set<Socket> clients = ConcurrentHashMap.newKeySet();
  private final AtomicLong reads = new AtomicLong();

  /** Decides what is sent back. */
  interface Fault {
    /**
     * Called with the bytes of each read.
     *
     * @param read the number of this read over all connections, from 1
     * @return the bytes to send back; null closes the connection
     */
    byte @Nullable [] onRead(byte[] bytes, long read) throws InterruptedException;
  }

  private FaultyEcho(ServerSocket server, Fault fault) {
    this.server = server;
    this.fault = fault;
  }

  static FaultyEcho start(Fault fault) {
    try {
      ServerSocket server = new ServerSocket(0, 1_000, InetAddress.getLoopbackAddress());
      FaultyEcho echo = new FaultyEcho(server, fault);
      Thread.ofVirtual().start(echo::accept);
      return echo;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String address() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  @Override
  public void close() {
    try {
      server.close();
      for (Socket client : clients) {
        client.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        clients.add(client);
        Thread.ofVirtual().start(() -> echo(client));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void echo(Socket client) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (client) {
      client.setTcpNoDelay(true);
      InputStream in = client.getInputStream();
      OutputStream out = client.getOutputStream();
      for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
        byte[] reply = fault.onRead(Arrays.copyOf(buffer, length), reads.incrementAndGet());
        if (reply == null) {
          return;
        }
        out.write(reply);
      }
    } catch (IOException | InterruptedException ended) {
      // The client is gone, or the test is over.
    } finally {
      clients.remove(client);
    }
  }
}
