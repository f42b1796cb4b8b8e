package dev.waymark.tools.agent;

import static org.awaitility.Awaitility.await;

import dev.waymark.v1.Instance;
import dev.waymark.v1.InstanceKey;
import dev.waymark.v1.Refused;
import dev.waymark.v1.RegisterRequest;
import dev.waymark.v1.RegisterResponse;
import dev.waymark.v1.RegistryGrpc;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A directory that does as the test says. Thread-safe. */
final class ScriptedDirectory extends RegistryGrpc.RegistryImplBase implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final int TTL_MS = 2_000;

  /** A call of Register. */
  static final class Call {
    private final Map<String, Instance> instances = new TreeMap<>();
    private final StreamObserver<RegisterResponse> responses;
    private volatile String node = "";
    private volatile boolean isHalfClosed;
    private volatile boolean isBroken;

    Call(StreamObserver<RegisterResponse> responses) {
      this.responses = responses;
    }

    String node() {
      return node;
    }

    boolean isHalfClosed() {
      return isHalfClosed;
    }

    boolean isOver() {
      return isHalfClosed || isBroken;
    }
  }

  private final Server server;
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final Map<String, String> refusals = new ConcurrentHashMap<>();
  private final List<String> authorizations = new CopyOnWriteArrayList<>();

  private ScriptedDirectory(int port, @Nullable SslContext tls) throws IOException {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    if (tls != null) {
      builder.sslContext(tls);
    }
    server = builder.intercept(new Headers()).addService(this).build().start();
  }

  static ScriptedDirectory start() throws IOException {
    return new ScriptedDirectory(0, null);
  }

  static ScriptedDirectory at(int port) throws IOException {
    return new ScriptedDirectory(port, null);
  }

  static ScriptedDirectory with(SslContext tls) throws IOException {
    return new ScriptedDirectory(0, tls);
  }

  int port() {
    return server.getPort();
  }

  String address() {
    return "127.0.0.1:" + server.getPort();
  }

  /** Does not take instances with this address. */
  void refuse(String address, String reason) {
    refusals.put(address, reason);
  }

  List<Call> calls() {
    return calls;
  }

  /** What is registered by calls that are not over, by address. */
  Map<String, Instance> registered() {
    Map<String, Instance> all = new TreeMap<>();
    for (Call call : calls) {
      synchronized (call) {
        if (!call.isOver()) {
          all.putAll(call.instances);
        }
      }
    }
    return all;
  }

  /** Waits until exactly these addresses are registered. */
  void awaitRegistered(String... addresses) {
    Set<String> expected = Set.of(addresses);
    await().atMost(TIMEOUT).until(() -> registered().keySet().equals(expected));
  }

  List<String> authorizations() {
    return authorizations;
  }

  /** Ends the newest call with an error. */
  void breakOff() {
    Call call = calls.getLast();
    synchronized (call) {
      call.isBroken = true;
      call.responses.onError(Status.UNAVAILABLE.withDescription("broken off").asException());
    }
  }

  @Override
  public StreamObserver<RegisterRequest> register(StreamObserver<RegisterResponse> responses) {
    Call call = new Call(responses);
    calls.add(call);
    return new Requests(call);
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      // The port may be used again.
      server.awaitTermination();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Headers implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      String sent = headers.get(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER));
      authorizations.add(String.valueOf(sent));
      return next.startCall(call, headers);
    }
  }

  private final class Requests implements StreamObserver<RegisterRequest> {
    private final Call call;

    Requests(Call call) {
      this.call = call;
    }

    @Override
    public void onNext(RegisterRequest request) {
      synchronized (call) {
        boolean isFirst = !request.getNode().isEmpty();
        if (isFirst) {
          call.node = request.getNode();
        }
        RegisterResponse.Builder response = RegisterResponse.newBuilder().setTtlMs(TTL_MS);
        request.getPutList().forEach(put -> put(put, response));
        request.getRemoveList().forEach(gone -> call.instances.remove(gone.getAddress()));
        if (isFirst || request.getPutCount() > 0) {
          call.responses.onNext(response.build());
        }
      }
    }

    private void put(Instance put, RegisterResponse.Builder response) {
      String reason = refusals.get(put.getAddress());
      if (reason == null) {
        call.instances.put(put.getAddress(), put);
        return;
      }
      response.addRefused(
          Refused.newBuilder()
              .setReason(reason)
              .setInstance(
                  InstanceKey.newBuilder()
                      .setService(put.getService())
                      .setAddress(put.getAddress())));
    }

    @Override
    public void onError(Throwable broken) {
      call.isBroken = true;
    }

    @Override
    public void onCompleted() {
      synchronized (call) {
        call.isHalfClosed = true;
        call.responses.onCompleted();
      }
    }
  }
}
