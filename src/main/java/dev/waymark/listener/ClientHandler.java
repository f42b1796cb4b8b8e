package dev.waymark.listener;

import dev.waymark.core.CloseReason;
import dev.waymark.core.Connection;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Turns what happens on a client's channel into inputs of its connection. Confined to its event
 * loop.
 */
final class ClientHandler extends ChannelInboundHandlerAdapter {
  private final SocketClient socket;
  private final String listener;
  private final @Nullable Framer framer;
  private final Acceptor acceptor;
  private @Nullable Connection connection;
  private @Nullable ByteBuf partial;
  private boolean isUnreadable;

  ClientHandler(SocketClient socket, String listener, @Nullable Framer framer, Acceptor acceptor) {
    this.socket = socket;
    this.listener = listener;
    this.framer = framer;
    this.acceptor = acceptor;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    Connection accepted = acceptor.onAccepted(socket.channel().eventLoop(), listener, socket);
    connection = accepted;
    socket.connection(accepted);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    Connection to = connection;
    if (to == null || isUnreadable) {
      bytes.release();
    } else if (framer == null) {
      to.onClientBytes(acceptor.nowNs(), bytes, false);
    } else {
      cut(to, framer, bytes);
    }
  }

  private void cut(Connection to, Framer by, ByteBuf bytes) {
    ByteBuf whole = partial == null ? bytes : append(partial, bytes);
    partial = null;
    long nowNs = acceptor.nowNs();
    try {
      for (int length = by.next(whole); length >= 0; length = by.next(whole)) {
        to.onClientBytes(nowNs, whole.readRetainedSlice(length), true);
      }
    } catch (FramingException breach) {
      isUnreadable = true;
      whole.release();
      to.onClientPartial(0);
      to.onClientBreach(nowNs, breach.reason());
      return;
    }
    keep(to, whole);
  }

  private static ByteBuf append(ByteBuf head, ByteBuf tail) {
    try {
      return head.writeBytes(tail);
    } finally {
      tail.release();
    }
  }

  /** The rest is copied: a slice would keep the read buffer of the messages before it. */
  private void keep(Connection to, ByteBuf rest) {
    int bytes = rest.readableBytes();
    if (bytes > 0 && rest.readerIndex() == 0 && rest.isWritable()) {
      partial = rest;
    } else {
      try {
        partial = bytes == 0 ? null : rest.alloc().buffer(bytes * 2).writeBytes(rest);
      } finally {
        rest.release();
      }
    }
    to.onClientPartial(bytes);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE && connection != null) {
      if (partial != null) {
        releasePartial();
        connection.onClientBreach(acceptor.nowNs(), CloseReason.FRAME_INCOMPLETE);
      }
      connection.onClientEnd(acceptor.nowNs());
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (cause instanceof IOException) {
      String message = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
      CloseReason reason =
          message.contains("timed out") ? CloseReason.CLIENT_TIMEOUT : CloseReason.CLIENT_RESET;
      lose(reason);
    } else {
      acceptor.onBug(cause);
      lose(CloseReason.INTERNAL);
    }
  }

  private void lose(CloseReason reason) {
    if (connection == null) {
      socket.reset();
    } else {
      connection.onClientLost(acceptor.nowNs(), reason);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    releasePartial();
    socket.release();
    if (connection != null) {
      connection.onSocketClosed(acceptor.nowNs());
    }
  }

  private void releasePartial() {
    if (partial != null) {
      partial.release();
      partial = null;
    }
  }
}
