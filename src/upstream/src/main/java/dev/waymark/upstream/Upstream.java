package dev.waymark.upstream;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.protocol.codec.AttachMethod;
import io.grpc.ServerServiceDefinition;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * An upstream: serves Attach to any number of bridges with the handlers that it is given.
 * Thread-safe.
 *
 * <pre>{@code
 * Upstream upstream = Upstream.builder(MyHandler::new).build();
 * UpstreamServer.start(upstream, NettyGuard.guard(NettyServerBuilder.forPort(4770)));
 * }</pre>
 *
 * <p>On a gRPC server that has other services too, add {@link #service()} to it, and let it run
 * with `directExecutor()`, so that a frame never changes threads; handlers must not block in any
 * case. {@link NettyGuard} bounds what clients can do to a server on grpc-netty.
 */
public final class Upstream {
  private final Attachments attachments;
  private final BridgeLinks links;
  private final AttachHandler handler;
  private final ServerServiceDefinition service;
  private volatile boolean isDraining;

  private Upstream(
      UpstreamOptions options,
      ConnectionHandler.Factory factory,
      @Nullable AnnouncementListener listener) {
    links = new BridgeLinks(listener);
    attachments = new Attachments(options.connectionsMax());
    handler =
        new AttachHandler(
            call -> new ServerLane(call, options, factory, attachments, links),
            this::onLaneStarted);
    service =
        ServerServiceDefinition.builder(AttachMethod.upstreamService())
            .addMethod(AttachMethod.upstreamSide(), handler)
            .build();
  }

  /** An upstream whose connections get handlers from this factory. */
  public static Builder builder(ConnectionHandler.Factory factory) {
    return new Builder(factory);
  }

  /** What to add to a gRPC server. */
  public ServerServiceDefinition service() {
    return service;
  }

  /**
   * Asks all bridges, now and for ever, to give this upstream no new connections; those that are
   * here go on.
   */
  public void drain() {
    isDraining = true;
    handler.forEachLane(ServerLane::announceDraining);
  }

  /**
   * Tells the bridges that are connected now how busy this upstream is.
   *
   * @param utilisation 0 to 1
   * @param capacity connections that it could hold; 0: unknown
   */
  public void load(double utilisation, int capacity) {
    if (!(utilisation >= 0 && utilisation <= 1) || capacity < 0) {
      throw new IllegalArgumentException(
          "utilisation is 0 to 1 and capacity not negative: " + utilisation + ", " + capacity);
    }
    handler.forEachLane(lane -> lane.announceLoad(utilisation, capacity));
  }

  /**
   * Sends bytes to a client, whoever owns its connection, to be written behind a whole reply
   * (protocol.md, rule 6). Pushes of one thread to one connection are written in order.
   *
   * <p>Where this upstream is in several pools, the push goes by the lane of any of them.
   *
   * @param mark of the connection, in text form
   * @param owned at most 64 KiB; one reference passes to this method
   * @return completed with what became of it; its actions may run under a lane's lock and must not
   *     block
   * @throws IllegalArgumentException if the bytes are too many
   */
  public CompletionStage<PushAnswer> push(String mark, ByteBuf owned) {
    return links.push(mark, owned, UpstreamFrame.ABSENT);
  }

  /** As {@link #push(String, ByteBuf)}, but only while the connection is in this epoch. */
  public CompletionStage<PushAnswer> push(String mark, ByteBuf owned, int epoch) {
    return links.push(mark, owned, Integer.toUnsignedLong(epoch));
  }

  /** Those attached now, in no order. */
  public List<UpstreamConnection> connections() {
    return attachments.all();
  }

  /** How many are attached now. */
  public int connectionCount() {
    return attachments.count();
  }

  /** The one with this mark, or null. */
  public @Nullable UpstreamConnection connection(String mark) {
    return attachments.find(mark);
  }

  private void onLaneStarted(ServerLane lane) {
    if (isDraining) {
      lane.announceDraining();
    }
  }

  /** Collects what an upstream is set to. Confined to one thread. */
  public static final class Builder {
    private final ConnectionHandler.Factory factory;
    private UpstreamOptions options = UpstreamOptions.DEFAULTS;
    private @Nullable AnnouncementListener listener;

    private Builder(ConnectionHandler.Factory factory) {
      this.factory = factory;
    }

    /**
     * False: no Settings, no `consumed`, no context: at most once (protocol.md, rule 5). Default
     * true.
     */
    public Builder acknowledge(boolean value) {
      options = options.withAcknowledge(value);
      return this;
    }

    /** In what pieces handlers get bytes. Default BYTES. */
    public Builder delivery(Delivery value) {
      options = options.withDelivery(value);
      return this;
    }

    /**
     * Unconsumed client bytes that one connection may have under way. Default 0: the bridge's own
     * window.
     */
    public Builder windowBytes(int value) {
      options = options.withWindowBytes(value);
      return this;
    }

    /**
     * Reply bytes of one connection that may wait for the bridge's grant. Default 1 MiB, at least
     * 64 KiB.
     */
    public Builder queueBytesMax(int value) {
      options = options.withQueueBytesMax(value);
      return this;
    }

    /** Attachments at once; one more is refused with BUSY. Default 1,000,000. */
    public Builder connectionsMax(int value) {
      options = options.withConnectionsMax(value);
      return this;
    }

    /**
     * Has all connections of the bridges announced, whoever owns them. Not without {@link
     * #acknowledge}. Default: none are.
     */
    public Builder announcements(AnnouncementListener value) {
      listener = value;
      return this;
    }

    /**
     * The upstream.
     *
     * @throws IllegalStateException if what it is set to contradicts itself
     */
    public Upstream build() {
      Check.that(
          listener == null || options.acknowledge(),
          "announcements need an acknowledging upstream");
      return new Upstream(options, factory, listener);
    }
  }
}
