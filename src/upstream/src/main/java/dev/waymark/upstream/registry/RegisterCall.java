package dev.waymark.upstream.registry;

import dev.waymark.v1.RegisterRequest;
import dev.waymark.v1.RegisterResponse;
import dev.waymark.v1.RegistryGrpc;
import io.grpc.CallCredentials;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import org.jspecify.annotations.Nullable;

/**
 * One call of {@code Register}. Its methods are called on the scheduler, its listener on gRPC's
 * threads.
 */
final class RegisterCall {
  /** Learns of the call; must not block. */
  interface Listener {
    /** The call can take a request again. */
    void onReady(RegisterCall call);

    /** The next answer is read when {@link #readNext} asks for it. */
    void onAnswer(RegisterCall call, RegisterResponse response);

    /** The call is over. */
    void onEnd(RegisterCall call, Status status);
  }

  private final DirectoryLink link;
  private final Listener listener;
  private final ClientCallStreamObserver<RegisterRequest> requests;

  private RegisterCall(
      DirectoryLink link, @Nullable CallCredentials credentials, Listener listener) {
    this.link = link;
    this.listener = listener;
    RegistryGrpc.RegistryStub stub = RegistryGrpc.newStub(link.channel());
    this.requests =
        (ClientCallStreamObserver<RegisterRequest>)
            (credentials == null ? stub : stub.withCallCredentials(credentials))
                .register(new Observer());
  }

  /** Begins a call, which is ready or will be, unless it fails. */
  static RegisterCall begin(
      DirectoryLink link, @Nullable CallCredentials credentials, Listener listener) {
    return new RegisterCall(link, credentials, listener);
  }

  boolean isReady() {
    return requests.isReady();
  }

  void send(RegisterRequest request) {
    requests.onNext(request);
  }

  void readNext() {
    requests.request(1);
  }

  void halfClose() {
    requests.onCompleted();
  }

  void cancel() {
    requests.cancel("given up", null);
    link.close();
  }

  /** Why it has ended; closes the link. */
  String problem(Status status) {
    String problem = status.isOk() ? "the directory ended the call" : link.problem(status);
    link.close();
    return Wire.shortened(problem);
  }

  private final class Observer
      implements ClientResponseObserver<RegisterRequest, RegisterResponse> {
    @Override
    public void beforeStart(ClientCallStreamObserver<RegisterRequest> stream) {
      // A directory cannot send faster than its answers are handled.
      stream.disableAutoRequestWithInitial(1);
      stream.setOnReadyHandler(() -> listener.onReady(RegisterCall.this));
    }

    @Override
    public void onNext(RegisterResponse response) {
      listener.onAnswer(RegisterCall.this, response);
    }

    @Override
    public void onError(Throwable failure) {
      listener.onEnd(RegisterCall.this, Status.fromThrowable(failure));
    }

    @Override
    public void onCompleted() {
      listener.onEnd(RegisterCall.this, Status.OK);
    }
  }
}
