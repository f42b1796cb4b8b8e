package dev.waymark.net.listener;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.stream.ClientSocket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A client's socket on Netty. Confined to its event loop.
 *
 * <p>One promise per flush tells what the kernel took: the last write of a turn waits here until
 * the flush, and its completion stands for all before it.
 */
final class SocketClient implements ClientSocket, ChannelFutureListener {
  /** What the kernel has not taken at once. */
  private record Flush(long bytes, int pieces) {}

  private final SocketChannel channel;
  private final LongSupplier clockNs;
  private final String clientAddress;
  private @Nullable Connection connection;
  private @Nullable Runnable onResumed;
  private @Nullable ByteBuf lastWrite;
  private long turnBytes;
  private int turnPieces;
  private @Nullable ArrayDeque<Flush> flushes;
  private boolean isFinishDue;
  private boolean isFinished;

  SocketClient(SocketChannel channel, LongSupplier clockNs) {
    this.channel = channel;
    this.clockNs = clockNs;
    // Taken now: the kernel forgets it with the socket.
    this.clientAddress = text(channel.remoteAddress());
  }

  void connection(Connection accepted) {
    connection = accepted;
  }

  /**
   * Called on the event loop, never from within {@link #resumeReading}, whenever reading goes on.
   */
  void onResumed(Runnable action) {
    onResumed = action;
  }

  /** The time of its shard. */
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
    return bytes[0];
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
      if (flushes == null) {
        flushes = new ArrayDeque<>(4);
      }
      flushes.add(new Flush(bytes, pieces));
      written.addListener(this);
    }
  }

  @Override
  public void operationComplete(ChannelFuture written) {
    Flush done = flushes == null ? null : flushes.poll();
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
    boolean isWritten = lastWrite == null && (flushes == null || flushes.isEmpty());
    if (isFinishDue && !isFinished && isWritten && channel.isOpen()) {
      isFinished = true;
      channel.shutdownOutput();
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
      channel.close();
    }
  }

  /** Drops what was written and not flushed. */
  void release() {
    if (lastWrite != null) {
      lastWrite.release();
      lastWrite = null;
      turnBytes = 0;
      turnPieces = 0;
    }
  }

  /** host:port, IPv6 in brackets and short (RFC 5952), without a zone. */
  static String text(@Nullable InetSocketAddress address) {
    return address == null ? "unknown" : NetUtil.toSocketAddressString(address);
  }

  /** Of what {@link #text} made. */
  static String host(String address) {
    int colon = address.lastIndexOf(':');
    if (colon < 0) {
      return address;
    }
    return address.startsWith("[") ? address.substring(1, colon - 1) : address.substring(0, colon);
  }
}
