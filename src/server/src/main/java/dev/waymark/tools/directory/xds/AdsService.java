package dev.waymark.tools.directory.xds;

import dev.waymark.registry.Catalog;
import dev.waymark.xds.proto.AggregatedDiscoveryServiceGrpc;
import dev.waymark.xds.proto.DeltaDiscoveryRequest;
import dev.waymark.xds.proto.DeltaDiscoveryResponse;
import dev.waymark.xds.proto.DiscoveryRequest;
import dev.waymark.xds.proto.DiscoveryResponse;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;

/**
 * Serves the services of a catalog as resources of xDS (v3) on streams of ADS. Add {@link
 * #definition} to a gRPC server whose calls run on the loop, with a direct executor.
 *
 * <p>Until {@link #onWhole}, instances may be missing only because their nodes have not come back
 * to a directory that has just started. Until then nothing is said to be absent, and clients that
 * have resources from an earlier stream keep them. All methods are called on the event loop.
 */
public final class AdsService {
  private static final Context.Key<String> PEER = Context.key("ads-peer");

  private final AdsStream.Shared shared;
  private final ResourceCache cache;
  private final Set<AdsStream<?, ?>> streams = new LinkedHashSet<>();
  private final Runnable unsubscribe;

  /**
   * @param loop that of the catalog and of the gRPC server
   * @param nowNs monotonic time
   */
  public AdsService(
      Catalog catalog,
      ScheduledExecutorService loop,
      LongSupplier nowNs,
      AdsLimits limits,
      AdsEvents events) {
    this.shared = new AdsStream.Shared(loop, nowNs, limits, events);
    this.cache = new ResourceCache(catalog, events);
    this.unsubscribe = catalog.subscribe(this::onChanged);
  }

  /** What a gRPC server serves. */
  public ServerServiceDefinition definition() {
    return ServerInterceptors.intercept(new Calls(), new PeerInterceptor());
  }

  /**
   * The catalog has all there is: call it when each node has had the time to come back, so after
   * one TTL, or at once if the catalog does not depend on that. Later calls have no effect.
   */
  public void onWhole() {
    if (!cache.isWhole()) {
      cache.onWhole();
      copy().forEach(AdsStream::send);
    }
  }

  private void onChanged(Set<String> services) {
    Set<String> newOrGone = cache.onChanged(services);
    copy().forEach(stream -> stream.onChanged(services, newOrGone));
  }

  /** A stream may end while it is told something. */
  private List<AdsStream<?, ?>> copy() {
    return List.copyOf(streams);
  }

  /** Ends all streams. */
  public void close() {
    unsubscribe.run();
    copy().forEach(stream -> stream.end(Status.UNAVAILABLE.withDescription("the directory stops")));
  }

  /** Who is connected, the oldest stream first. */
  public List<StreamStatus> streams() {
    return copy().stream().map(AdsStream::status).toList();
  }

  private <Q, R> StreamObserver<Q> open(
      StreamObserver<R> responses, Client client, Dialect<Q, R> dialect) {
    AdsStream<Q, R> stream =
        new AdsStream<>(
            (ServerCallStreamObserver<R>) responses, client, dialect, shared, streams::remove);
    if (streams.size() < shared.limits().streamsMax()) {
      streams.add(stream);
    } else {
      String why = "more than " + shared.limits().streamsMax() + " streams";
      shared.events().onStreamRefused("", client.peer(), why);
      stream.end(Status.RESOURCE_EXHAUSTED.withDescription(why));
    }
    return stream;
  }

  private final class Calls
      extends AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase {
    @Override
    public StreamObserver<DiscoveryRequest> streamAggregatedResources(
        StreamObserver<DiscoveryResponse> responses) {
      Client client = new Client(PEER.get());
      return open(
          responses, client, new StateOfTheWorld(client, cache, shared.limits(), shared.events()));
    }

    @Override
    public StreamObserver<DeltaDiscoveryRequest> deltaAggregatedResources(
        StreamObserver<DeltaDiscoveryResponse> responses) {
      Client client = new Client(PEER.get());
      return open(
          responses, client, new Incremental(client, cache, shared.limits(), shared.events()));
    }
  }

  /** Only interceptors see the address of a peer. */
  private static final class PeerInterceptor implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      SocketAddress peer = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
      String text =
          peer instanceof InetSocketAddress inet
              ? NetUtil.toSocketAddressString(inet)
              : String.valueOf(peer);
      return Contexts.interceptCall(Context.current().withValue(PEER, text), call, headers, next);
    }
  }
}
