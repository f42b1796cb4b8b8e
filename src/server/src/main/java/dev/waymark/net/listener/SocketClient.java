package dev.waymark.net.listener;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.stream.ClientSocket;
import dev.waymark.protocol.ProxyFacts;
import dev.waymark.protocol.TlsFacts;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.AttributeKey;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A client's Netty socket. Confined to its event loop.
 *
 * <p>One promise per flush tells what the kernel has accepted: the last write of a turn is kept
 * here until the flush, and its completion covers all writes before it.
 */
final class SocketClient implements ClientSocket, ChannelFutureListener {
  /** A flush that the kernel did not accept at once. */
  private record Flush(long bytes, int pieces) {}

  /** Rare, so it takes no place in the clients of most listeners. */
  private static final AttributeKey<ProxyFacts> PROXY =
      AttributeKey.valueOf(SocketClient.class, "proxy");

  private static final AttributeKey<TlsFacts> TLS = AttributeKey.valueOf(SocketClient.class, "tls");

  private final SocketChannel channel;
  private final LongSupplier clockNs;
  private String clientAddress;
  private @Nullable Connection connection;
  private @Nullable Runnable onResumed;
  private @Nullable ByteBuf lastWrite;
  private long turnBytes;
  private int turnPieces;
  private @Nullable ArrayDeque<Flush> pendingFlushes;
  private @Nullable SslHandler tls;
  private boolean isFinishDue;
  private boolean isFinished;

  SocketClient(SocketChannel channel, LongSupplier clockNs) {
    this.channel = channel;
    this.clockNs = clockNs;
    // Read now, because the kernel forgets it once the socket is closed.
    this.clientAddress = text(channel.remoteAddress());
  }

  /** Takes over what was negotiated with the client, before the client becomes a connection. */
  void tls(TlsFacts facts) {
    channel.attr(TLS).set(facts);
    tls = channel.pipeline().get(SslHandler.class);
  }

  /** Takes over what a proxy said about the client, before the client becomes a connection. */
  void proxy(ProxyFacts facts) {
    channel.attr(PROXY).set(facts);
    if (facts.hasClientAddress()) {
      clientAddress = facts.sourceAddress();
    }
  }

  void connection(Connection accepted) {
    connection = accepted;
  }

  /**
   * Sets an action to run on the event loop whenever reading resumes, but never from within {@link
   * #resumeReading}.
   */
  void onResumed(Runnable action) {
    onResumed = action;
  }

  /** Returns the time of its shard. */
  long nowNs() {
    return clockNs.getAsLong();
  }

  boolean isReading() {
    return channel.config().isAutoRead();
  }

  SocketChannel channel() {
    return channel;
  }

  @Override
  public String clientAddress() {
    return clientAddress;
  }

  @Override
  public String clientHost() {
    return host(clientAddress);
  }

  @Override
  public String localAddress() {
    return text(channel.localAddress());
  }

  @Override
  public @Nullable ProxyFacts proxy() {
    return channel.hasAttr(PROXY) ? channel.attr(PROXY).get() : null;
  }

  @Override
  public @Nullable TlsFacts tls() {
    return channel.hasAttr(TLS) ? channel.attr(TLS).get() : null;
  }

  @Override
  public void write(ByteBuf owned) {
    if (lastWrite != null) {
      channel.write(lastWrite, channel.voidPromise());
    }
    lastWrite = owned;
    turnBytes += owned.readableBytes();
    turnPieces++;
  }

  @Override
  public long unwrittenBytes() {
    long[] bytes = {turnBytes};
    ChannelOutboundBuffer outbound = channel.unsafe().outboundBuffer();
    if (outbound != null) {
      try {
        outbound.forEachFlushedMessage(message -> {
          bytes[0] += ((ByteBuf) message).readableBytes();
          return true;
        });
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    // Encrypted bytes are more than those that were written.
    return tls == null ? bytes[0] : Math.min(bytes[0], turnBytes + pendingBytes());
  }

  private long pendingBytes() {
    long bytes = 0;
    if (pendingFlushes != null) {
      for (Flush flush : pendingFlushes) {
        bytes += flush.bytes();
      }
    }
    return bytes;
  }

  @Override
  public void flush() {
    ByteBuf last = lastWrite;
    if (last == null) {
      return;
    }
    long bytes = turnBytes;
    int pieces = turnPieces;
    lastWrite = null;
    turnBytes = 0;
    turnPieces = 0;
    ChannelFuture written = channel.writeAndFlush(last);
    if (written.isSuccess()) {
      onWritten(bytes, pieces);
    } else if (!written.isDone()) {
      if (pendingFlushes == null) {
        pendingFlushes = new ArrayDeque<>(4);
      }
      pendingFlushes.add(new Flush(bytes, pieces));
      written.addListener(this);
    }
  }

  @Override
  public void operationComplete(ChannelFuture written) {
    Flush done = pendingFlushes == null ? null : pendingFlushes.poll();
    if (done != null && written.isSuccess()) {
      onWritten(done.bytes(), done.pieces());
    }
  }

  private void onWritten(long bytes, int pieces) {
    if (connection != null) {
      connection.onWritten(nowNs(), bytes, pieces);
    }
    finishWhenWritten();
  }

  @Override
  public void finish() {
    flush();
    isFinishDue = true;
    finishWhenWritten();
  }

  private void finishWhenWritten() {
    boolean isWritten = lastWrite == null && (pendingFlushes == null || pendingFlushes.isEmpty());
    if (isFinishDue && !isFinished && isWritten && channel.isOpen()) {
      isFinished = true;
      if (tls == null) {
        channel.shutdownOutput();
      } else {
        tls.closeOutbound().addListener(_ -> channel.shutdownOutput());
      }
    }
  }

  @Override
  public void pauseReading() {
    channel.config().setAutoRead(false);
  }

  @Override
  public void resumeReading() {
    if (channel.isOpen()) {
      channel.config().setAutoRead(true);
      if (onResumed != null) {
        channel.eventLoop().execute(onResumed);
      }
    }
  }

  @Override
  public void close() {
    channel.close();
  }

  @Override
  public void reset() {
    release();
    if (channel.isOpen()) {
      channel.config().setOption(ChannelOption.SO_LINGER, 0);
      // Past TLS, which would first send its close_notify.
      channel.pipeline().firstContext().close();
    }
  }

  /** Releases the last write if it has not been flushed. */
  void release() {
    if (lastWrite != null) {
      lastWrite.release();
      lastWrite = null;
      turnBytes = 0;
      turnPieces = 0;
    }
  }

  /** Returns host:port, with IPv6 in brackets and compressed (RFC 5952), without a zone. */
  static String text(@Nullable InetSocketAddress address) {
    return address == null ? "unknown" : NetUtil.toSocketAddressString(address);
  }

  /** Returns the host in an address formatted by {@link #text}. */
  static String host(String address) {
    int colon = address.lastIndexOf(':');
    if (colon < 0) {
      return address;
    }
    return address.startsWith("[") ? address.substring(1, colon - 1) : address.substring(0, colon);
  }
}
