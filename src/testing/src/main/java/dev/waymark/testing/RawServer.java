package dev.waymark.testing;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An HTTP/2 server that lets a test control every byte. It accepts the first call of each
 * connection as stream {@link #STREAM} and leaves the rest to the script, or leaves everything to
 * it. Thread-safe.
 */
public final class RawServer implements AutoCloseable {
  /** The stream of gRPC's first call on a connection. */
  public static final int STREAM = 3;

  /** Small, so that either side soon notices that the other does not read. */
  private static final int SOCKET_BYTES = 64 * 1024;

  private static final int HEADER_BYTES = 9;
  private static final int PREFACE_BYTES = 24;

  /** What to do on a connection, which is closed afterwards. May end with an exception. */
  public interface Script {
    void run(Connection connection) throws IOException, InterruptedException;
  }

  /** A frame that the peer sent. */
  public record Received(int type, int flags, byte[] payload) {}

  /** An accepted connection. Confined to its script's thread. */
  public static final class Connection {
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private boolean isWatch;

    private Connection(Socket socket) throws IOException {
      this.socket = socket;
      this.in = new BufferedInputStream(socket.getInputStream());
      this.out = socket.getOutputStream();
    }

    /** Writes the frames and releases them. Blocks while the peer does not read. */
    public void send(ByteBuf frames) throws IOException {
      try {
        out.write(ByteBufUtil.getBytes(frames));
        out.flush();
      } finally {
        frames.release();
      }
    }

    /** Sends the frames over and over until the peer closes, and releases them. */
    public void sendForever(ByteBuf frames) throws IOException {
      byte[] bytes = ByteBufUtil.getBytes(frames);
      frames.release();
      while (!socket.isClosed()) {
        out.write(bytes);
      }
    }

    /** Sends the response headers of a gRPC call: status 200 and the content type. */
    public void sendHeaders() throws IOException {
      // ":status: 200" indexed, then "content-type" (index 31) with a literal value (RFC 7541,
      // sections 6.1 and 6.2.2).
      byte[] type = "application/grpc".getBytes(StandardCharsets.US_ASCII);
      byte[] block = new byte[4 + type.length];
      block[0] = (byte) 0x88;
      block[1] = 0x0f;
      block[2] = 0x10;
      block[3] = (byte) type.length;
      System.arraycopy(type, 0, block, 4, type.length);
      send(Frames.frame(Http2FrameTypes.HEADERS, Frames.END_HEADERS, STREAM, block));
    }

    /** Whether the call is a health Watch. */
    public boolean isWatch() {
      return isWatch;
    }

    /** Answers a health Watch with SERVING and waits until the peer closes. */
    public void serveHealth() throws IOException {
      sendHeaders();
      byte[] serving = {0, 0, 0, 0, 2, 0x08, 0x01};
      send(Frames.frame(Http2FrameTypes.DATA, Frames.NO_FLAGS, STREAM, serving));
      drain();
    }

    /** Sends PING frames until the peer closes. */
    public void flood() throws IOException {
      sendForever(Frames.times(4_000, Frames.ping()));
    }

    /** Reads and discards everything until the peer closes. */
    public void drain() throws IOException {
      in.transferTo(OutputStream.nullOutputStream());
    }

    /** Starts to read and discard everything, on another thread. */
    public void drainMeanwhile() {
      Thread.ofVirtual()
          .start(() -> {
            try {
              drain();
            } catch (IOException gone) {
              // The script notices it too.
            }
          });
    }

    /** Sends FIN, and waits until the peer closes. */
    public void finish() throws IOException {
      socket.shutdownOutput();
      drain();
    }

    /** Closes the connection with RST. */
    public void reset() throws IOException {
      socket.setSoLinger(true, 0);
      socket.close();
    }

    /**
     * Reads the peer's preface and frames until its call begins, in answer to our SETTINGS, which
     * are the script's if it runs at once.
     */
    public void awaitCall() throws IOException {
      in.readNBytes(PREFACE_BYTES);
      Received frame;
      do {
        frame = receive();
      } while (frame.type() != Http2FrameTypes.HEADERS);
      // gRPC's client does not Huffman-code its headers.
      isWatch = new String(frame.payload(), StandardCharsets.US_ASCII).contains("Health/Watch");
    }

    /** Reads the peer's next frame. */
    public Received receive() throws IOException {
      byte[] header = in.readNBytes(HEADER_BYTES);
      if (header.length < HEADER_BYTES) {
        throw new IOException("closed by the peer");
      }
      byte[] payload =
          in.readNBytes((header[0] & 0xff) << 16 | (header[1] & 0xff) << 8 | (header[2] & 0xff));
      return new Received(header[3], header[4], payload);
    }

    private void acceptCall() throws IOException {
      send(Frames.frame(Http2FrameTypes.SETTINGS, 0));
      awaitCall();
      send(Frames.settingsAck());
    }
  }

  private final ServerSocket listening;
  private final Script script;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final AtomicInteger accepted = new AtomicInteger();

  private RawServer(ServerSocket listening, Script script) {
    this.listening = listening;
    this.script = script;
  }

  /** Starts a server on a free loopback port. */
  public static RawServer start(Script script) throws IOException {
    return start(0, script);
  }

  /** Starts a server on this loopback port. */
  public static RawServer start(int port, Script script) throws IOException {
    return startAtOnce(
        port,
        connection -> {
          connection.acceptCall();
          script.run(connection);
        });
  }

  /** Starts a server on a free loopback port, whose script begins with the server's SETTINGS. */
  public static RawServer startAtOnce(Script script) throws IOException {
    return startAtOnce(0, script);
  }

  private static RawServer startAtOnce(int port, Script script) throws IOException {
    var listening = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
    listening.setReceiveBufferSize(SOCKET_BYTES);
    var server = new RawServer(listening, script);
    Thread.ofVirtual().start(server::accept);
    return server;
  }

  /** The address in the form {@code 127.0.0.1:1234}. */
  public String address() {
    return "127.0.0.1:" + port();
  }

  /** The port that the server listens on. */
  public int port() {
    return listening.getLocalPort();
  }

  /** How many connections have been accepted. */
  public int connections() {
    return accepted.get();
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket socket = listening.accept();
        accepted.incrementAndGet();
        open.add(socket);
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      socket.setSendBufferSize(SOCKET_BYTES);
      script.run(new Connection(socket));
    } catch (IOException | InterruptedException gone) {
      // The peer may leave at any time.
    } finally {
      open.remove(socket);
    }
  }

  @Override
  public void close() throws IOException {
    listening.close();
    for (Socket socket : open) {
      socket.close();
    }
  }
}
