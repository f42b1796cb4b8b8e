package dev.waymark.listener;

import io.netty.util.NetUtil;
import dev.waymark.core.ClientSocket;
import dev.waymark.core.Connection;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.SocketChannel;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A client's socket on Netty. Confined to its event loop.
 *
 * <p>One promise per flush tells what the kernel took: the last write of a turn waits here until the flush, and its completion stands
 * for all before it.
 */
final class SocketClient implements ClientSocket, ChannelFutureListener {
  private final SocketChannel channel;
  private final LongSupplier clockNs;
  private final String clientAddress;
  private final String clientHost;
  private final String localAddress;
  private @Nullable Connection connection;
  private @Nullable ByteBuf lastWrite;
  private long turnBytes;
  private @Nullable ArrayDeque<Long> flushedBytes;
  private boolean isFinishDue;
  private boolean isFinished;

  SocketClient(SocketChannel channel, LongSupplier clockNs) {
    this.channel = channel;
    this.clockNs = clockNs;
    // Taken now: the kernel forgets them with the socket.
    this.clientAddress = text(channel.remoteAddress());
    this.clientHost = host(channel.remoteAddress());
    this.localAddress = text(channel.localAddress());
  }

  void connection(Connection accepted) {
    connection = accepted;
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
    return clientHost;
  }

  @Override
  public String localAddress() {
    return localAddress;
  }

  @Override
  public void write(ByteBuf owned) {
    if (lastWrite != null) {
      channel.write(lastWrite, channel.voidPromise());
    }
    lastWrite = owned;
    turnBytes += owned.readableBytes();
  }

  @Override
  public void flush() {
    ByteBuf last = lastWrite;
    if (last == null) {
      return;
    }
    long bytes = turnBytes;
    lastWrite = null;
    turnBytes = 0;
    ChannelFuture written = channel.writeAndFlush(last);
    if (written.isSuccess()) {
      onWritten(bytes);
    } else if (!written.isDone()) {
      if (flushedBytes == null) {
        flushedBytes = new ArrayDeque<>(4);
      }
      flushedBytes.add(bytes);
      written.addListener(this);
    }
  }

  @Override
  public void operationComplete(ChannelFuture written) {
    ArrayDeque<Long> flushed = flushedBytes;
    Long bytes = flushed == null ? null : flushed.poll();
    if (bytes != null && written.isSuccess()) {
      onWritten(bytes);
    }
  }

  private void onWritten(long bytes) {
    if (connection != null) {
      connection.onWritten(clockNs.getAsLong(), bytes);
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
    boolean isWritten = lastWrite == null && (flushedBytes == null || flushedBytes.isEmpty());
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
    }
  }

  /** host:port, IPv6 in brackets and short (RFC 5952), without a zone. */
  static String text(@Nullable InetSocketAddress address) {
    return address == null ? "unknown" : NetUtil.toSocketAddressString(address);
  }

  private static String host(@Nullable InetSocketAddress address) {
    return address == null || address.getAddress() == null ? "unknown" : NetUtil.toAddressString(address.getAddress());
  }
}
