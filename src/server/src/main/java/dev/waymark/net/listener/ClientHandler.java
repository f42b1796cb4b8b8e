package dev.waymark.net.listener;

import dev.waymark.engine.connection.Connection;
import dev.waymark.protocol.CloseReason;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Turns what happens on a client's channel into inputs of its connection. As a Runnable it is what
 * {@link SocketClient#onResumed} calls, so that an idle connection holds no lambda for it. Confined
 * to its event loop.
 */
final class ClientHandler extends ChannelInboundHandlerAdapter implements Runnable {
  private final SocketClient socket;
  private final String listener;
  private final @Nullable Framer framer;
  private final Acceptor acceptor;
  private final ListenerCounters counters;
  private @Nullable Connection connection;
  private @Nullable ByteBuf partial;
  private boolean isUncut;
  private boolean isEndSeen;
  private boolean isUnreadable;

  /**
   * @param counters has a place for this client, which is given back when its channel is gone
   */
  ClientHandler(
      SocketClient socket,
      String listener,
      @Nullable Framer framer,
      Acceptor acceptor,
      ListenerCounters counters) {
    this.socket = socket;
    this.listener = listener;
    this.framer = framer;
    this.acceptor = acceptor;
    this.counters = counters;
    if (framer != null) {
      socket.onResumed(this);
    }
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
      to.onClientBytes(socket.nowNs(), bytes, false);
    } else {
      ByteBuf head = partial;
      partial = null;
      cut(to, framer, head == null ? bytes : append(head, bytes));
    }
  }

  @Override
  public void run() {
    cutRest();
  }

  /** The socket is read again: what came before that is first. */
  private void cutRest() {
    ByteBuf rest = partial;
    Connection to = connection;
    if (isUncut && rest != null && framer != null && to != null) {
      partial = null;
      cut(to, framer, rest);
      endIfSeen(to);
    }
  }

  private void cut(Connection to, Framer by, ByteBuf whole) {
    long nowNs = socket.nowNs();
    try {
      int length = 0;
      while (socket.isReading() && (length = by.next(whole)) >= 0) {
        to.onClientBytes(nowNs, whole.readRetainedSlice(length), true);
      }
      // Cut later: many small messages cost many times their bytes.
      isUncut = length >= 0 && whole.isReadable();
    } catch (FramingException violation) {
      isUnreadable = true;
      whole.release();
      to.onClientPartial(0);
      to.onClientViolation(nowNs, violation.reason());
      return;
    }
    keep(to, whole);
  }

  private ByteBuf append(ByteBuf head, ByteBuf tail) {
    try {
      if (!isUncut) {
        return head.writeBytes(tail);
      }
      // Messages that were cut off its front are on their way: it must not grow under them.
      int bytes = head.readableBytes() + tail.readableBytes();
      try {
        return head.alloc().buffer(bytes * 2).writeBytes(head).writeBytes(tail);
      } finally {
        head.release();
      }
    } finally {
      tail.release();
    }
  }

  /**
   * The rest of a message is copied: a slice would keep the read buffer of the messages before it.
   */
  private void keep(Connection to, ByteBuf rest) {
    int bytes = rest.readableBytes();
    if (isUncut || (bytes > 0 && rest.readerIndex() == 0 && rest.isWritable())) {
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
      isEndSeen = true;
      endIfSeen(connection);
    }
  }

  /** The end comes after all messages, those included that are not cut yet. */
  private void endIfSeen(Connection to) {
    if (!isEndSeen || isUncut) {
      return;
    }
    isEndSeen = false;
    if (partial != null) {
      releasePartial();
      to.onClientPartial(0);
      to.onClientViolation(socket.nowNs(), CloseReason.FRAME_INCOMPLETE);
    }
    to.onClientEnd(socket.nowNs());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (cause instanceof IOException) {
      String message = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
      CloseReason reason =
          message.contains("timed out") ? CloseReason.CLIENT_TIMEOUT : CloseReason.CLIENT_RESET;
      lose(reason);
    } else if (cause instanceof OutOfMemoryError) {
      // The JVM ends when the heap is exhausted: this is Netty's limit, or the JVM's, outside it.
      lose(CloseReason.OVERLOAD);
    } else {
      acceptor.onBug(cause);
      lose(CloseReason.INTERNAL);
    }
  }

  private void lose(CloseReason reason) {
    if (connection == null) {
      socket.reset();
    } else {
      connection.onClientLost(socket.nowNs(), reason);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    releasePartial();
    socket.release();
    if (connection != null) {
      connection.onSocketClosed(socket.nowNs());
    }
  }

  /** The channel is closed, also where it never became active. */
  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    counters.leave();
  }

  private void releasePartial() {
    if (partial != null) {
      partial.release();
      partial = null;
    }
  }
}
