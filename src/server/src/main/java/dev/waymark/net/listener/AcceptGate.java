package dev.waymark.net.listener;

import dev.waymark.config.ListenerConfig;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.AttributeKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.EnumSet;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Keeps a port from accepting until it is started, and pauses it while there is a reason to. The
 * first handler in the server channel's pipeline, so that it sees failed accepts. Confined to the
 * port's event loop.
 */
final class AcceptGate extends ChannelInboundHandlerAdapter {
  enum Reason {
    /**
     * Only the reserve of file descriptors is left, or accept failed: no descriptors at all, or no
     * kernel memory.
     */
    DESCRIPTORS,
    /** The process is over its memory budget. */
    MEMORY
  }

  /**
   * The configuration by which a client was accepted without being admitted, since it comes behind
   * a proxy. A reload may change it before the client's own loop sees the client.
   */
  private static final AttributeKey<ListenerConfig> BEHIND_PROXY =
      AttributeKey.valueOf(AcceptGate.class, "BEHIND_PROXY");

  /** How long to wait for closing connections to free descriptors. */
  private static final long RETRY_MS = 250;

  private final Channel channel;
  private final Supplier<ListenerPort.Use> use;
  private final Acceptor acceptor;
  private final Admitter admitter;
  private final ListenerEvents events;
  private final DescriptorLimit descriptors;

  /** Shared by all clients, because each holds it for as long as it is connected. */
  private final ChannelFutureListener leave;

  private final EnumSet<Reason> reasons = EnumSet.noneOf(Reason.class);
  private boolean isStarted;

  /**
   * @param channel with auto-read off
   * @param use the current listener of the port, which may change
   */
  AcceptGate(
      Channel channel,
      Supplier<ListenerPort.Use> use,
      Acceptor acceptor,
      Admitter admitter,
      ListenerEvents events,
      DescriptorLimit descriptors) {
    this.channel = channel;
    this.use = use;
    this.acceptor = acceptor;
    this.admitter = admitter;
    this.events = events;
    this.descriptors = descriptors;
    this.leave = _ -> descriptors.leave();
  }

  /** Starts accepting, unless there is a reason not to. */
  void start() {
    isStarted = true;
    if (reasons.isEmpty() && channel.isOpen()) {
      channel.config().setAutoRead(true);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    closeForDescriptors(SystemErrors.reason(cause));
  }

  /**
   * Admits and counts the client here rather than on its own loop: whoever is refused costs that
   * loop nothing, and it may lag behind a burst.
   */
  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    SocketChannel client = (SocketChannel) message;
    if (!isAdmitted(client)) {
      // An RST: it leaves nothing behind in the kernel, not even TIME_WAIT.
      client.config().setSoLinger(0);
      client.unsafe().closeForcibly();
      return;
    }
    descriptors.enter();
    client.closeFuture().addListener(leave);
    if (descriptors.isReached()) {
      closeForDescriptors(
          "only the reserve of file descriptors is left; raise the limit (ulimit -n) or lower connections-max");
    }
    context.fireChannelRead(message);
  }

  /** Whether the client may stay. Behind a proxy, nobody knows yet who it is. */
  private boolean isAdmitted(SocketChannel client) {
    ListenerPort.Use now = use.get();
    ListenerConfig config = acceptor.listener(channel.eventLoop(), now.listener());
    if (config.isBehindProxy()) {
      client.attr(BEHIND_PROXY).set(config);
      return true;
    }
    InetSocketAddress peer = client.remoteAddress();
    InetAddress source = peer == null ? null : peer.getAddress();
    return admitter.admit(now, client, source, () -> SocketClient.text(peer));
  }

  /**
   * Returns the configuration by which a client was accepted, if that was one behind a proxy. Once
   * for each client.
   */
  static Optional<ListenerConfig> takeBehindProxy(SocketChannel client) {
    return client.hasAttr(BEHIND_PROXY)
        ? Optional.ofNullable(client.attr(BEHIND_PROXY).getAndSet(null))
        : Optional.empty();
  }

  private void closeForDescriptors(String cause) {
    if (close(Reason.DESCRIPTORS, cause)) {
      retryLater();
    }
  }

  private void retryLater() {
    channel.eventLoop().schedule(this::retry, RETRY_MS, TimeUnit.MILLISECONDS);
  }

  private void retry() {
    if (descriptors.isReached() && channel.isOpen()) {
      retryLater();
    } else {
      open(Reason.DESCRIPTORS);
    }
  }

  /** Pauses accepting for this reason; returns whether the reason is new. */
  boolean close(Reason reason, String cause) {
    if (!reasons.add(reason)) {
      return false;
    }
    use.get().counters().pause();
    if (reasons.size() == 1) {
      channel.config().setAutoRead(false);
      events.onAcceptPaused(use.get().listener(), cause);
    }
    return true;
  }

  /** Removes this reason, and resumes accepting if no other is left. */
  void open(Reason reason) {
    if (reasons.remove(reason) && reasons.isEmpty() && channel.isOpen()) {
      events.onAcceptResumed(use.get().listener());
      channel.config().setAutoRead(isStarted);
    }
  }
}
