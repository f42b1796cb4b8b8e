package dev.waymark.upstream;

import dev.waymark.wire.AttachMethod;
import io.grpc.ServerServiceDefinition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An upstream: serves Attach to any number of bridges with the handlers that it is given.
 * Thread-safe.
 *
 * <pre>{@code
 * Upstream upstream = Upstream.builder(MyHandler::new).build();
 * NettyServerBuilder.forPort(4770).directExecutor().addService(upstream.service()).build().start();
 * }</pre>
 *
 * <p>With `directExecutor()` a frame never changes threads; handlers must not block in any case.
 */
public final class Upstream {
  private final Attachments attachments;
  private final AttachHandler handler;
  private final ServerServiceDefinition service;
  private volatile boolean isDraining;

  private Upstream(UpstreamOptions options, ConnectionHandler.Factory factory) {
    attachments = new Attachments(options.connectionsMax());
    handler =
        new AttachHandler(
            call -> new Lane(call, options, factory, attachments), this::onLaneStarted);
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
    handler.forEachLane(Lane::announceDraining);
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

  /** Those attached now, in no order. */
  public List<Connection> connections() {
    return attachments.all();
  }

  /** The one with this mark, or null. */
  public @Nullable Connection connection(String mark) {
    return attachments.find(mark);
  }

  private void onLaneStarted(Lane lane) {
    if (isDraining) {
      lane.announceDraining();
    }
  }

  /** Collects what an upstream is set to. Confined to one thread. */
  public static final class Builder {
    private final ConnectionHandler.Factory factory;
    private UpstreamOptions options = UpstreamOptions.DEFAULTS;

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

    public Upstream build() {
      return new Upstream(options, factory);
    }
  }
}
