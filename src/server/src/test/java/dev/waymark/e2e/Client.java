package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.NetUtil;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A client of a bridge whose upstreams echo. Sends a stream of bytes that differs from every other
 * client's, and checks each byte that comes back. At most one thread sends and one reads; calls
 * block, so run them on virtual threads ({@link Clients}).
 */
final class Client implements AutoCloseable {
  private static final int CHUNK_BYTES = 16 * 1024;
  private static final int TIMEOUT_MS = 40_000;
  private static final AtomicLong SEEDS = new AtomicLong();

  private final Socket socket;
  private final long seed;
  private final String address;
  private volatile long sentOffset;
  private volatile long receivedOffset;

  private Client(Socket socket, long seed) {
    this.socket = socket;
    this.seed = seed;
    this.address = addressOf(socket);
  }

  static Client connect(int port) {
    return connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
  }

  /**
   * Connects with small kernel buffers, so that the bridge soon notices when the client stops
   * reading.
   */
  static Client connectNarrow(int port) {
    return connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CHUNK_BYTES);
  }

  static Client connect(InetSocketAddress to, int bufferBytes) {
    try {
      Socket socket = new Socket();
      if (bufferBytes > 0) {
        socket.setReceiveBufferSize(bufferBytes);
        socket.setSendBufferSize(bufferBytes);
      }
      long seed = SEEDS.incrementAndGet();
      if (to.getAddress() instanceof Inet4Address) {
        socket.bind(new InetSocketAddress(InetAddress.getByAddress(ownHost(seed)), 0));
      }
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(TIMEOUT_MS);
      socket.connect(to, TIMEOUT_MS);
      return new Client(socket, seed);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Returns a loopback address unique to this client, so that a reused port does not make two
   * clients look the same in logs.
   */
  private static byte[] ownHost(long seed) {
    return new byte[] {
      127, (byte) (1 + seed / 62_500 % 100), (byte) (1 + seed / 250 % 250), (byte) (1 + seed % 250)
    };
  }

  /** Returns the client's address as the bridge logs it. */
  String address() {
    return address;
  }

  long sentOffset() {
    return sentOffset;
  }

  long receivedOffset() {
    return receivedOffset;
  }

  // --- the numbered stream ---

  /** Sends the next bytes of the stream. Blocks while the bridge does not read. */
  Client send(long bytes) {
    return send(bytes, CHUNK_BYTES);
  }

  /** Sends the next bytes of the stream in writes of at most {@code chunkBytes}. */
  Client send(long bytes, int chunkBytes) {
    byte[] chunk = new byte[chunkBytes];
    for (long end = sentOffset + bytes; sentOffset < end; ) {
      int length = (int) Math.min(chunkBytes, end - sentOffset);
      fill(chunk, length, sentOffset);
      write(chunk, length);
      sentOffset += length;
    }
    return this;
  }

  /** Reads the next bytes and compares them with what was or will be sent. */
  Client expect(long bytes) {
    if (!expectOrEnd(bytes)) {
      throw new AssertionError(
          "%s: the stream ended at %d, expected %d more".formatted(address, receivedOffset, bytes));
    }
    return this;
  }

  /** Like {@link #expect}, but returns false if FIN comes instead of the first byte. */
  boolean expectOrEnd(long bytes) {
    long startOffset = receivedOffset;
    byte[] chunk = new byte[CHUNK_BYTES];
    byte[] wanted = new byte[CHUNK_BYTES];
    for (long end = receivedOffset + bytes; receivedOffset < end; ) {
      int length = read(chunk, (int) Math.min(CHUNK_BYTES, end - receivedOffset));
      if (length < 0 && receivedOffset == startOffset) {
        return false;
      }
      if (length < 0) {
        throw new AssertionError(
            "%s: the stream ended at %d, expected up to %d"
                .formatted(address, receivedOffset, end));
      }
      fill(wanted, length, receivedOffset);
      for (int i = 0; i < length; i++) {
        if (chunk[i] != wanted[i]) {
          throw new AssertionError(
              "%s: wrong byte at offset %d".formatted(address, receivedOffset + i));
        }
      }
      receivedOffset += length;
    }
    return true;
  }

  /** Sends and reads concurrently: more bytes than the windows hold would block a lone sender. */
  Client echo(long bytes) {
    try (var sender = Clients.inBackground(() -> send(bytes))) {
      expect(bytes);
      sender.join();
    }
    return this;
  }

  private void fill(byte[] into, int length, long fromOffset) {
    long word = 0;
    for (int i = 0; i < length; i++) {
      long offset = fromOffset + i;
      int at = (int) (offset & 7);
      if (at == 0 || i == 0) {
        word = mix(seed * 0x9e3779b97f4a7c15L + (offset >>> 3));
      }
      into[i] = (byte) (word >>> (at << 3));
    }
  }

  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  // --- bytes given by the test ---

  Client write(byte[] bytes) {
    write(bytes, bytes.length);
    return this;
  }

  byte[] readExactly(int bytes) {
    try {
      byte[] read = socket.getInputStream().readNBytes(bytes);
      assertThat(read.length)
          .as("bytes received by %s before its stream ended", address)
          .isEqualTo(bytes);
      return read;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // --- ends ---

  /** Sends FIN. */
  Client end() {
    try {
      socket.shutdownOutput();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Expects FIN, with no bytes before it. */
  Client expectEnd() {
    assertThat(read(new byte[1], 1))
        .as("%s: FIN after %d bytes", address, receivedOffset)
        .isNegative();
    return this;
  }

  /** Expects FIN or RST, after any bytes. */
  void expectGone() {
    try {
      InputStream in = socket.getInputStream();
      byte[] chunk = new byte[CHUNK_BYTES];
      while (in.read(chunk) >= 0) {
        assertThat(socket.isClosed()).isFalse();
      }
    } catch (SocketException reset) {
      assertThat(reset).hasMessageContaining("reset");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends RST. */
  void reset() {
    try {
      socket.setSoLinger(true, 0);
    } catch (SocketException e) {
      throw new UncheckedIOException(e);
    }
    close();
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void write(byte[] bytes, int length) {
    try {
      OutputStream out = socket.getOutputStream();
      out.write(bytes, 0, length);
    } catch (IOException e) {
      throw new UncheckedIOException(address + " after " + sentOffset + " bytes sent", e);
    }
  }

  private int read(byte[] into, int length) {
    try {
      return socket.getInputStream().read(into, 0, length);
    } catch (IOException e) {
      throw new UncheckedIOException(address + " after " + receivedOffset + " bytes received", e);
    }
  }

  private static String addressOf(Socket socket) {
    return NetUtil.toSocketAddressString((InetSocketAddress) socket.getLocalSocketAddress());
  }
}
