package dev.waymark.engine.stream;

import dev.waymark.protocol.ProxyFacts;
import dev.waymark.protocol.TlsFacts;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** The client's socket; implemented at the edge. Called on the shard's thread only. */
public interface ClientSocket {
  /**
   * host:port of the client, IPv6 in brackets; as a proxy in front of the bridge named it, if one
   * did.
   */
  String clientAddress();

  /** The client's IP address without port; may be a new string each time. */
  String clientHost();

  /**
   * host:port of the bridge that the client, or the proxy, dialled; may be a new string each time.
   * Called once.
   */
  String localAddress();

  /** What a proxy in front of the bridge said about the client; null if there is none. */
  default @Nullable ProxyFacts proxy() {
    return null;
  }

  /** What the listener negotiated with the client; null without TLS. */
  default @Nullable TlsFacts tls() {
    return null;
  }

  /**
   * Queues bytes, to be written at {@link #flush}. {@code Connection.onWritten} reports, in order,
   * what the kernel has taken.
   *
   * @param owned the reference passes to this method
   */
  void write(ByteBuf owned);

  /**
   * The bytes given to {@link #write} that the kernel has not taken; also shrinks in the middle of
   * a large flush.
   */
  long unwrittenBytes();

  /** Hands the kernel as much of the queue as it takes. */
  void flush();

  /** Sends FIN after everything queued; reading continues. */
  void finish();

  /** Stops reading; further bytes wait in the kernel. */
  void pauseReading();

  /** Resumes reading. */
  void resumeReading();

  /** Closes now; everything queued has been written. {@code Connection.onSocketClosed} follows. */
  void close();

  /** Closes with RST and drops what is queued. {@code Connection.onSocketClosed} follows. */
  void reset();
}
