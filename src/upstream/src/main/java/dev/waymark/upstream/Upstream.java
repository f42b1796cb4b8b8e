package dev.waymark.upstream;

import com.google.protobuf.ByteString;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.protocol.codec.AttachMethod;
import io.grpc.ServerServiceDefinition;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * An upstream: serves Attach to any number of bridges and gives each connection a handler.
 * Thread-safe.
 *
 * <pre>{@code
 * Upstream upstream = Upstream.builder(MyHandler::new).build();
 * UpstreamServer.start(upstream, ServerBuilder.forPort(4770));
 * }</pre>
 *
 * <p>It runs on any grpc-java transport. To serve it alongside your other services, add {@link
 * #service()} to your own server, preferably one with {@code directExecutor()}, so that frames
 * never change threads. Handlers must not block in either case. On grpc-netty, {@link NettyGuard}
 * limits what clients can do to the server.
 */
public final class Upstream {
  private final Attachments attachments;
  private final BridgeLinks links;
  private final AttachHandler handler;
  private final ServerServiceDefinition service;
  private volatile boolean isDraining;
  private volatile boolean isEnding;

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

  /**
   * Starts building an upstream whose connections get their handlers from this factory, usually a
   * handler's constructor.
   */
  public static Builder builder(ConnectionHandler.Factory factory) {
    return new Builder(factory);
  }

  /** The service to add to a gRPC server. */
  public ServerServiceDefinition service() {
    return service;
  }

  /**
   * Asks all bridges, including those that connect later, to give this upstream no new connections
   * and to move its connections to other upstreams. Cannot be undone.
   */
  public void drain() {
    isDraining = true;
    handler.forEachLane(ServerLane::announceDraining);
  }

  /**
   * Ends all lanes, and those that bridges open later. Call it after {@code shutdown()} of your own
   * server, which otherwise waits for them forever; {@link UpstreamServer#close} does both. A lane
   * without connections ends cleanly for its bridge; connections that are still attached are given
   * to other upstreams, which get again what was not consumed.
   */
  public void endLanes() {
    if (!isDraining) {
      drain();
    }
    isEnding = true;
    handler.forEachLane(ServerLane::finish);
  }

  /**
   * Tells the currently connected bridges how busy this upstream is.
   *
   * @param utilisation from 0 to 1
   * @param capacity how many connections it could hold, or 0 if unknown
   * @throws IllegalArgumentException if either is out of range
   */
  public void reportLoad(double utilisation, int capacity) {
    if (!(utilisation >= 0 && utilisation <= 1) || capacity < 0) {
      throw new IllegalArgumentException(
          "utilisation must be 0 to 1 and capacity not negative: " + utilisation + ", " + capacity);
    }
    handler.forEachLane(lane -> lane.announceLoad(utilisation, capacity));
  }

  /**
   * Sends bytes to a client, whichever upstream owns its connection. They are written where a reply
   * ends (protocol.md, rule 6). Pushes from one thread to one connection are written in order.
   *
   * <p>If this upstream is in several pools, the push takes a lane of any of them. The overloads
   * take the payload types that {@link UpstreamConnection} lists, with the same ownership and cost.
   *
   * @param mark the connection's mark in text form
   * @param owned at most 64 KiB; one reference passes to this method
   * @return completed with the outcome; dependent actions may run under a lane's lock and must not
   *     block
   * @throws IllegalArgumentException if there are too many bytes
   */
  public CompletionStage<PushAnswer> push(String mark, ByteBuf owned) {
    return links.push(mark, owned, UpstreamFrame.ABSENT);
  }

  /** As {@link #push(String, ByteBuf)}, but copies the bytes. */
  public CompletionStage<PushAnswer> push(String mark, byte[] bytes) {
    return push(mark, Payloads.copyOf(bytes));
  }

  /** As {@link #push(String, ByteBuf)}, but copies the remaining bytes. */
  public CompletionStage<PushAnswer> push(String mark, ByteBuffer bytes) {
    return push(mark, Payloads.copyOf(bytes));
  }

  /** As {@link #push(String, ByteBuf)}, but takes an immutable payload without a copy. */
  public CompletionStage<PushAnswer> push(String mark, ByteString bytes) {
    return push(mark, Payloads.wrap(bytes));
  }

  /**
   * As {@link #push(String, ByteBuf)}, but writes the bytes only while the connection is in this
   * epoch.
   */
  public CompletionStage<PushAnswer> push(String mark, ByteBuf owned, int epoch) {
    return links.push(mark, owned, Integer.toUnsignedLong(epoch));
  }

  /** As {@link #push(String, ByteBuf, int)}, but copies the bytes. */
  public CompletionStage<PushAnswer> push(String mark, byte[] bytes, int epoch) {
    return push(mark, Payloads.copyOf(bytes), epoch);
  }

  /** As {@link #push(String, ByteBuf, int)}, but copies the remaining bytes. */
  public CompletionStage<PushAnswer> push(String mark, ByteBuffer bytes, int epoch) {
    return push(mark, Payloads.copyOf(bytes), epoch);
  }

  /** As {@link #push(String, ByteBuf, int)}, but takes an immutable payload without a copy. */
  public CompletionStage<PushAnswer> push(String mark, ByteString bytes, int epoch) {
    return push(mark, Payloads.wrap(bytes), epoch);
  }

  /** The currently attached connections, in no particular order. */
  public List<UpstreamConnection> connections() {
    return attachments.all();
  }

  /** The number of currently attached connections. */
  public int connectionCount() {
    return attachments.count();
  }

  /** The connection with this mark, or null if it is not attached. */
  public @Nullable UpstreamConnection connection(String mark) {
    return attachments.find(mark);
  }

  private void onLaneStarted(ServerLane lane) {
    if (isDraining) {
      lane.announceDraining();
    }
    if (isEnding) {
      lane.finish();
    }
  }

  /** Collects the settings of an upstream. Confined to one thread. */
  public static final class Builder {
    private final ConnectionHandler.Factory factory;
    private UpstreamOptions options = UpstreamOptions.DEFAULTS;
    private @Nullable AnnouncementListener listener;

    private Builder(ConnectionHandler.Factory factory) {
      this.factory = factory;
    }

    /**
     * Whether the upstream acknowledges. If false it is an at-most-once upstream: no Settings, no
     * {@code consumed}, no context, no limit on replies, no replay (protocol.md, rule 5). Default:
     * true.
     */
    public Builder acknowledge(boolean value) {
      options = options.withAcknowledge(value);
      return this;
    }

    /** Whether handlers get bytes as they arrive or whole messages. Default: BYTES. */
    public Builder delivery(Delivery value) {
      options = options.withDelivery(value);
      return this;
    }

    /**
     * How many unconsumed client bytes one connection may have in flight. Default: 0, which leaves
     * the window to the bridge.
     */
    public Builder windowBytes(int value) {
      options = options.withWindowBytes(value);
      return this;
    }

    /**
     * How many reply bytes of one connection may wait for room in the reply window. At least 64
     * KiB; default: 1 MiB.
     */
    public Builder queueBytesMax(int value) {
      options = options.withQueueBytesMax(value);
      return this;
    }

    /**
     * How many connections may be attached at once; any more are refused with BUSY. Default:
     * 1,000,000.
     */
    public Builder connectionsMax(int value) {
      options = options.withConnectionsMax(value);
      return this;
    }

    /**
     * Whether connections are pinned to this upstream: it holds a session for each that no other
     * could resume. They are neither moved nor replayed; when this upstream is lost they end with
     * UPSTREAM_LOST. It may refuse a connection until it first consumes or sends something. Only
     * for an upstream that acknowledges. Default: false.
     *
     * @throws IllegalStateException if the upstream does not acknowledge
     */
    public Builder pinned(boolean value) {
      options = options.withPinned(value);
      return this;
    }

    /**
     * Announces all connections of the bridges to this listener, whichever upstream owns them. Only
     * for an upstream that acknowledges. Default: no listener.
     */
    public Builder announcements(AnnouncementListener value) {
      listener = value;
      return this;
    }

    /**
     * Builds the upstream.
     *
     * @throws IllegalStateException if the settings contradict each other
     */
    public Upstream build() {
      Check.that(
          listener == null || options.acknowledge(),
          "announcements need an upstream that acknowledges");
      return new Upstream(options, factory, listener);
    }
  }
}
