package dev.waymark.tools.directory;

import dev.waymark.v1.Instance;
import dev.waymark.v1.RegisterRequest;
import dev.waymark.v1.RegisterResponse;
import dev.waymark.v1.RegistryGrpc;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A node that registers by hand: one call, and no heartbeats but those that a test sends. */
public final class TestNode implements ClientResponseObserver<RegisterRequest, RegisterResponse> {
  private final BlockingQueue<RegisterResponse> responses = new LinkedBlockingQueue<>();
  private final CompletableFuture<Status> end = new CompletableFuture<>();

  /** Set before the call starts. */
  @SuppressWarnings("NullAway.Init")
  private ClientCallStreamObserver<RegisterRequest> call;

  /** Connects a node with a TTL and these instances. */
  public static TestNode open(Channel channel, String name, int ttlMs, Instance... instances) {
    TestNode node = new TestNode();
    RegistryGrpc.newStub(channel).register(node);
    node.send(
        RegisterRequest.newBuilder()
            .setNode(name)
            .setTtlMs(ttlMs)
            .addAllPut(List.of(instances))
            .build());
    return node;
  }

  /** An instance of service echo. */
  public static Instance echo(String address) {
    return Instance.newBuilder().setService("echo").setAddress(address).build();
  }

  static Instance[] echoes(String... addresses) {
    return Stream.of(addresses).map(TestNode::echo).toArray(Instance[]::new);
  }

  void send(RegisterRequest request) {
    call.onNext(request);
  }

  void heartbeat() {
    send(RegisterRequest.getDefaultInstance());
  }

  public void put(Instance... instances) {
    send(RegisterRequest.newBuilder().addAllPut(List.of(instances)).build());
  }

  /** De-registers the node. */
  public void leave() {
    call.onCompleted();
  }

  /** Breaks the call off. */
  void breakOff() {
    call.cancel("the node is gone", null);
  }

  public RegisterResponse response() throws InterruptedException {
    RegisterResponse next = responses.poll(10, TimeUnit.SECONDS);
    if (next == null) {
      throw new AssertionError("no response");
    }
    return next;
  }

  /** How the call ended. */
  public Status end() throws Exception {
    return end.get(10, TimeUnit.SECONDS);
  }

  boolean hasEnded() {
    return end.isDone();
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<RegisterRequest> started) {
    call = started;
  }

  @Override
  public void onNext(RegisterResponse response) {
    responses.add(response);
  }

  @Override
  public void onError(Throwable error) {
    end.complete(Status.fromThrowable(error));
  }

  @Override
  public void onCompleted() {
    end.complete(Status.OK);
  }
}
