package dev.waymark.upstreams.discovery;

import dev.waymark.xds.proto.AggregatedDiscoveryServiceGrpc;
import dev.waymark.xds.proto.DeltaDiscoveryRequest;
import dev.waymark.xds.proto.DeltaDiscoveryResponse;
import dev.waymark.xds.proto.DiscoveryRequest;
import dev.waymark.xds.proto.DiscoveryResponse;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A control plane that says what the test tells it to, and notes what it hears. */
final class ScriptedControlPlane implements AutoCloseable {
  final List<DiscoveryRequest> whole = new CopyOnWriteArrayList<>();
  final List<DeltaDiscoveryRequest> incremental = new CopyOnWriteArrayList<>();
  final List<String> authorizations = new CopyOnWriteArrayList<>();

  /** How many streams were opened. */
  final List<String> streams = new CopyOnWriteArrayList<>();

  private final boolean hasIncremental;
  private final Server server;
  private volatile @Nullable StreamObserver<DiscoveryResponse> wholeStream;
  private volatile @Nullable StreamObserver<DeltaDiscoveryResponse> incrementalStream;

  ScriptedControlPlane(boolean hasIncremental) {
    this.hasIncremental = hasIncremental;
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .addService(new Calls())
            .intercept(new Headers())
            .build();
    try {
      server.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String address() {
    return "127.0.0.1:" + server.getPort();
  }

  void send(DiscoveryResponse response) {
    StreamObserver<DiscoveryResponse> stream = wholeStream;
    if (stream != null) {
      stream.onNext(response);
    }
  }

  void send(DeltaDiscoveryResponse response) {
    StreamObserver<DeltaDiscoveryResponse> stream = incrementalStream;
    if (stream != null) {
      stream.onNext(response);
    }
  }

  /** Ends the present stream. */
  void end(Status status) {
    StreamObserver<?> stream = hasIncremental ? incrementalStream : wholeStream;
    if (stream != null) {
      stream.onError(status.asRuntimeException());
    }
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private static <Q> StreamObserver<Q> into(List<Q> requests) {
    return new StreamObserver<>() {
      @Override
      public void onNext(Q request) {
        requests.add(request);
      }

      @Override
      public void onError(Throwable ended) {}

      @Override
      public void onCompleted() {}
    };
  }

  private final class Calls
      extends AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase {
    @Override
    public StreamObserver<DiscoveryRequest> streamAggregatedResources(
        StreamObserver<DiscoveryResponse> responses) {
      wholeStream = responses;
      streams.add("whole");
      return into(whole);
    }

    @Override
    public StreamObserver<DeltaDiscoveryRequest> deltaAggregatedResources(
        StreamObserver<DeltaDiscoveryResponse> responses) {
      if (!hasIncremental) {
        streams.add("incremental");
        return super.deltaAggregatedResources(responses);
      }
      incrementalStream = responses;
      streams.add("incremental");
      return into(incremental);
    }
  }

  private final class Headers implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      String value =
          headers.get(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER));
      authorizations.add(String.valueOf(value));
      return next.startCall(call, headers);
    }
  }
}
