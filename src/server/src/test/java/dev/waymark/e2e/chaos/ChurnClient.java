package dev.waymark.e2e.chaos;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Repeatedly connects, sends a request and disconnects, in several ways in turn. Ends at the first
 * error. Runs on its own thread.
 */
final class ChurnClient implements Runnable {
  private static final int TIMEOUT_MS = 20_000;
  private static final int PAYLOAD_BYTES_MAX = 5_000;
  private static final int PAUSE_MS = 50;

  private final int id;
  private final int port;
  private final CountDownLatch over;
  private volatile @Nullable String error;
  private volatile long connections;

  ChurnClient(int id, int port, CountDownLatch over) {
    this.id = id;
    this.port = port;
    this.over = over;
  }

  @Nullable String error() {
    return error;
  }

  long connections() {
    return connections;
  }

  @Override
  public void run() {
    int number = 0;
    while (over.getCount() > 0 && error == null) {
      try (Socket socket = new Socket()) {
        // Closed connections keep their port for a minute, so one address has too few.
        socket.bind(new InetSocketAddress(InetAddress.getByAddress(ownHost(number)), 0));
        socket.setSoTimeout(TIMEOUT_MS);
        socket.setTcpNoDelay(true);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MS);
        use(socket, Message.of(id, number, number % PAYLOAD_BYTES_MAX + 1, 0));
      } catch (IOException e) {
        error = "churn client %d, connection %d: %s".formatted(id, number, e);
      }
      connections = ++number;
      pause();
    }
  }

  /** Slows down: a kernel that tracks connections has room for some 262,144 in two minutes. */
  private void pause() {
    try {
      over.await(PAUSE_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      error = "churn client %d: interrupted".formatted(id);
    }
  }

  private byte[] ownHost(int number) {
    return new byte[] {
      127, (byte) (1 + id % 250), (byte) (number / 250 % 250), (byte) (1 + number % 250)
    };
  }

  private static void use(Socket socket, Message request) throws IOException {
    OutputStream out = socket.getOutputStream();
    switch (request.number() % 6) {
      case 0 -> {
        // Sends nothing.
      }
      case 1 -> {
        // Request and FIN at once.
        out.write(request.bytes());
        socket.shutdownOutput();
        expect(socket, request);
        expectEnd(socket);
      }
      case 2 -> {
        // RST while the reply may be in flight.
        out.write(request.bytes());
        socket.setSoLinger(true, 0);
      }
      default -> {
        out.write(request.bytes());
        expect(socket, request);
        socket.shutdownOutput();
        expectEnd(socket);
      }
    }
  }

  private static void expect(Socket socket, Message request) throws IOException {
    byte[] reply = socket.getInputStream().readNBytes(request.bytes().length);
    String wrong = request.differenceTo(reply);
    if (wrong != null) {
      throw new IOException(wrong);
    }
  }

  private static void expectEnd(Socket socket) throws IOException {
    if (socket.getInputStream().read() >= 0) {
      throw new IOException("unexpected bytes after the reply");
    }
  }
}
