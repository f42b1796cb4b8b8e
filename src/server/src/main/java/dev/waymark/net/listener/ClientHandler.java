package dev.waymark.net.listener;

import dev.waymark.config.ListenerConfig;
import dev.waymark.config.ListenerKeys;
import dev.waymark.engine.connection.Connection;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Framing;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Turns events of a client's channel into inputs of its connection. The last stage of the pipeline:
 * the client becomes a connection when {@code channelActive} arrives here, so a stage before it
 * that has to learn something about the client first, such as {@link ProxyHeaderHandler}, holds
 * that event back, tells {@link SocketClient} what it learnt, and then fires it. It is also the
 * Runnable for {@link SocketClient#onResumed}, which saves a lambda per idle connection. Confined
 * to its event loop.
 */
final class ClientHandler extends ChannelInboundHandlerAdapter implements Runnable {
  private final SocketClient socket;
  private final String listener;
  private final Acceptor acceptor;
  private final ListenerCounters counters;
  private final ListenerEvents events;
  private @Nullable Connection connection;
  private @Nullable Framer framer;

  /** The start of an incomplete message, or, if reading was paused, messages not cut yet. */
  private @Nullable ByteBuf partial;

  private boolean hasRead;
  private boolean hasUncutMessages;
  private boolean hasSeenEnd;
  private boolean isBroken;

  /**
   * @param counters on which this client has been entered; it leaves when its channel is gone
   */
  ClientHandler(
      SocketClient socket,
      String listener,
      Acceptor acceptor,
      ListenerCounters counters,
      ListenerEvents events) {
    this.socket = socket;
    this.listener = listener;
    this.acceptor = acceptor;
    this.counters = counters;
    this.events = events;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    ListenerConfig config = acceptor.listener(socket.channel().eventLoop(), listener);
    if (!(config.framing() instanceof Framing.Raw)) {
      framer = Framer.of(config.framing(), config.get(ListenerKeys.FRAME_MAX));
      socket.onResumed(this);
    }
    Connection accepted = acceptor.onAccepted(socket.channel().eventLoop(), listener, socket);
    connection = accepted;
    socket.connection(accepted);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    if (!hasRead) {
      hasRead = true;
      checkForTls(bytes);
    }
    Connection to = connection;
    if (to == null || isBroken) {
      bytes.release();
    } else if (framer == null) {
      to.onClientBytes(socket.nowNs(), bytes, false);
    } else {
      ByteBuf head = partial;
      partial = null;
      cut(to, framer, head == null ? bytes : append(head, bytes));
    }
  }

  private void checkForTls(ByteBuf first) {
    if (socket.tls() == null && ClientHello.isAtStartOf(first)) {
      counters.countTlsPassedOn();
      events.onTlsPassedOn(listener, socket.clientAddress());
    }
  }

  @Override
  public void run() {
    cutRest();
  }

  /** Cuts the messages that arrived before reading was paused. */
  private void cutRest() {
    ByteBuf rest = partial;
    Connection to = connection;
    if (hasUncutMessages && rest != null && framer != null && to != null) {
      partial = null;
      cut(to, framer, rest);
      applyEnd(to);
    }
  }

  private void cut(Connection to, Framer by, ByteBuf whole) {
    long nowNs = socket.nowNs();
    try {
      int length = 0;
      while (socket.isReading() && (length = by.next(whole)) >= 0) {
        to.onClientBytes(nowNs, whole.readRetainedSlice(length), true);
      }
      // The rest is cut later: many small messages cost a multiple of their bytes in memory.
      hasUncutMessages = length >= 0 && whole.isReadable();
    } catch (FramingException violation) {
      isBroken = true;
      hasUncutMessages = false;
      whole.release();
      to.onClientPartial(socket.nowNs(), 0);
      to.onClientViolation(nowNs, violation.reason());
      return;
    }
    keep(to, whole);
  }

  private ByteBuf append(ByteBuf head, ByteBuf tail) {
    try {
      if (!hasUncutMessages) {
        return head.writeBytes(tail);
      }
      // Slices of its front are still in use, so this buffer must not be reallocated.
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

  /** Keeps an incomplete message, as a copy: a slice would keep the whole read buffer in memory. */
  private void keep(Connection to, ByteBuf rest) {
    int bytes = rest.readableBytes();
    if (hasUncutMessages || (bytes > 0 && rest.readerIndex() == 0 && rest.isWritable())) {
      partial = rest;
    } else {
      try {
        partial = bytes == 0 ? null : rest.alloc().buffer(bytes * 2).writeBytes(rest);
      } finally {
        rest.release();
      }
    }
    to.onClientPartial(socket.nowNs(), bytes);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE && connection != null) {
      hasSeenEnd = true;
      applyEnd(connection);
    }
  }

  /** Passes on the client's end, after all messages, including those not cut yet. */
  private void applyEnd(Connection to) {
    if (!hasSeenEnd || hasUncutMessages) {
      return;
    }
    hasSeenEnd = false;
    if (partial != null) {
      releasePartial();
      to.onClientPartial(socket.nowNs(), 0);
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
      // Heap exhaustion ends the JVM, so this is the limit of direct memory: Netty's or the JVM's.
      lose(CloseReason.OVERLOAD);
    } else {
      acceptor.onBug(cause);
      lose(CloseReason.INTERNAL);
    }
  }

  /** Ends the connection because its client is lost, or must go. */
  void lose(CloseReason reason) {
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

  /** Called for every closed channel, even if it never became active. */
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
