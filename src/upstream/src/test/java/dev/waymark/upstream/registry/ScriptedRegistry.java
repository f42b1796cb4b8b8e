package dev.waymark.upstream.registry;

import dev.waymark.v1.Instance;
import dev.waymark.v1.Refused;
import dev.waymark.v1.RegisterRequest;
import dev.waymark.v1.RegisterResponse;
import dev.waymark.v1.RegistryGrpc;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A directory in this process that does as the test says: answers, refuses, hangs or breaks off.
 * All on the caller's thread.
 */
final class ScriptedRegistry extends RegistryGrpc.RegistryImplBase implements AutoCloseable {
  /** A call of Register. */
  final class Call implements StreamObserver<RegisterRequest> {
    final List<RegisterRequest> requests = new ArrayList<>();
    final Map<String, Instance> registered = new TreeMap<>();
    private final StreamObserver<RegisterResponse> responses;
    boolean isHalfClosed;
    boolean isCancelled;

    Call(StreamObserver<RegisterResponse> responses) {
      this.responses = responses;
    }

    @Override
    public void onNext(RegisterRequest request) {
      requests.add(request);
      request.getPutList().forEach(put -> registered.put(put.getAddress(), put));
      request.getRemoveList().forEach(gone -> registered.remove(gone.getAddress()));
      boolean isAnswered = requests.size() == 1 || request.getPutCount() > 0;
      if (isAnswering && isAnswered) {
        answer(request);
      }
    }

    private void answer(RegisterRequest request) {
      RegisterResponse.Builder response = RegisterResponse.newBuilder().setTtlMs(ttlMs);
      for (Instance put : request.getPutList()) {
        String reason = refusals.get(put.getAddress());
        if (reason != null) {
          registered.remove(put.getAddress());
          response.addRefused(
              Refused.newBuilder()
                  .setInstance(
                      dev.waymark.v1.InstanceKey.newBuilder()
                          .setService(put.getService())
                          .setAddress(put.getAddress()))
                  .setReason(reason));
        }
      }
      responses.onNext(response.build());
    }

    @Override
    public void onError(Throwable failure) {
      isCancelled = true;
    }

    @Override
    public void onCompleted() {
      isHalfClosed = true;
      registered.clear();
      if (isAnswering) {
        responses.onCompleted();
      }
    }

    void breakOff(Status status) {
      responses.onError(status.asRuntimeException());
    }

    RegisterRequest last() {
      return requests.get(requests.size() - 1);
    }

    boolean isOver() {
      return isHalfClosed || isCancelled;
    }
  }

  final List<Call> calls = new ArrayList<>();
  final Map<String, String> refusals = new HashMap<>();
  boolean isAnswering = true;
  int ttlMs = 9_000;

  private final String name;
  private @Nullable Server server;

  ScriptedRegistry(String name) {
    this.name = name;
  }

  ScriptedRegistry start() throws IOException {
    server = InProcessServerBuilder.forName(name).directExecutor().addService(this).build().start();
    return this;
  }

  void stop() {
    if (server != null) {
      server.shutdownNow();
    }
  }

  @Override
  public StreamObserver<RegisterRequest> register(StreamObserver<RegisterResponse> responses) {
    Call call = new Call(responses);
    calls.add(call);
    return call;
  }

  /** The newest call. */
  Call call() {
    return calls.get(calls.size() - 1);
  }

  @Override
  public void close() {
    stop();
  }
}
