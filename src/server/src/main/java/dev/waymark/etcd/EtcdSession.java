package dev.waymark.etcd;

import dev.waymark.etcd.pb.AuthGrpc;
import dev.waymark.etcd.pb.AuthenticateRequest;
import dev.waymark.etcd.pb.AuthenticateResponse;
import dev.waymark.etcd.pb.KVGrpc;
import dev.waymark.etcd.pb.LeaseGrantRequest;
import dev.waymark.etcd.pb.LeaseGrantResponse;
import dev.waymark.etcd.pb.LeaseGrpc;
import dev.waymark.etcd.pb.LeaseKeepAliveRequest;
import dev.waymark.etcd.pb.LeaseKeepAliveResponse;
import dev.waymark.etcd.pb.LeaseRevokeRequest;
import dev.waymark.etcd.pb.LeaseRevokeResponse;
import dev.waymark.etcd.pb.RangeRequest;
import dev.waymark.etcd.pb.RangeResponse;
import dev.waymark.etcd.pb.TxnRequest;
import dev.waymark.etcd.pb.TxnResponse;
import dev.waymark.etcd.pb.WatchCreateRequest;
import dev.waymark.etcd.pb.WatchGrpc;
import dev.waymark.etcd.pb.WatchRequest;
import dev.waymark.etcd.pb.WatchResponse;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.registry.client.RegistryChannel;
import dev.waymark.upstreams.control.ControlLoop;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The calls to one server of etcd, from a login to the first failure of the server. Each call but a
 * watch has a deadline. A call is answered, refused because of what it asks for, or the session
 * ends: then nothing is answered any more. Confined to the control thread.
 */
final class EtcdSession {
  /** When a call must be answered; etcd itself gives up after 7 s without a leader. */
  static final long CALL_TIMEOUT_MS = 5_000;

  private static final Metadata.Key<String> TOKEN = key("token");

  /** Has a member that is cut off from the others refuse, rather than answer from the past. */
  private static final Metadata.Key<String> NEEDS_LEADER = key("hasleader");

  /** Receives the end of a session. */
  interface Owner {
    /**
     * Called once.
     *
     * @param isTokenStale whether another login is all it takes
     */
    void onEnd(EtcdSession session, UpstreamProblem problem, boolean isTokenStale);
  }

  private final ControlLoop control;
  private final RegistryChannel server;
  private final Channel channel;
  private final Owner owner;
  private OptionalLong firstAnswerNs = OptionalLong.empty();
  private OptionalLong lastAnswerNs = OptionalLong.empty();
  private boolean isEnded;

  /**
   * @param token of a login; empty: without
   */
  EtcdSession(ControlLoop control, RegistryChannel server, Optional<String> token, Owner owner) {
    this.control = control;
    this.server = server;
    this.owner = owner;
    Metadata headers = new Metadata();
    headers.put(NEEDS_LEADER, "true");
    token.ifPresent(text -> headers.put(TOKEN, text));
    this.channel =
        ClientInterceptors.intercept(
            server.channel(), MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  // --- calls ---

  void authenticate(
      String user,
      String password,
      Consumer<AuthenticateResponse> onAnswer,
      Consumer<Status> onRefused) {
    AuthenticateRequest request =
        AuthenticateRequest.newBuilder().setName(user).setPassword(password).build();
    limited(AuthGrpc.newStub(channel)).authenticate(request, new Reply<>(onAnswer, onRefused));
  }

  void range(RangeRequest request, Consumer<RangeResponse> onAnswer, Consumer<Status> onRefused) {
    limited(KVGrpc.newStub(channel)).range(request, new Reply<>(onAnswer, onRefused));
  }

  void txn(TxnRequest request, Consumer<TxnResponse> onAnswer, Consumer<Status> onRefused) {
    limited(KVGrpc.newStub(channel)).txn(request, new Reply<>(onAnswer, onRefused));
  }

  void grantLease(long ttlS, Consumer<LeaseGrantResponse> onAnswer, Consumer<Status> onRefused) {
    LeaseGrantRequest request = LeaseGrantRequest.newBuilder().setTtl(ttlS).build();
    limited(LeaseGrpc.newStub(channel)).leaseGrant(request, new Reply<>(onAnswer, onRefused));
  }

  /** The stream that etcd has for this is used for one request, so that it has a deadline. */
  void renewLease(long id, Consumer<LeaseKeepAliveResponse> onAnswer, Consumer<Status> onRefused) {
    StreamObserver<LeaseKeepAliveRequest> requests =
        limited(LeaseGrpc.newStub(channel)).leaseKeepAlive(new Reply<>(onAnswer, onRefused));
    requests.onNext(LeaseKeepAliveRequest.newBuilder().setId(id).build());
    requests.onCompleted();
  }

  void revokeLease(long id, Consumer<LeaseRevokeResponse> onAnswer, Consumer<Status> onRefused) {
    LeaseRevokeRequest request = LeaseRevokeRequest.newBuilder().setId(id).build();
    limited(LeaseGrpc.newStub(channel)).leaseRevoke(request, new Reply<>(onAnswer, onRefused));
  }

  /**
   * Watches until it is canceled, or the session ends.
   *
   * @return cancels it; then nothing is received any more
   */
  Runnable watch(
      WatchCreateRequest request, Consumer<WatchResponse> onAnswer, Consumer<Status> onRefused) {
    Reply<WatchResponse> reply = new Reply<>(onAnswer, onRefused);
    reply.isStream = true;
    StreamObserver<WatchRequest> requests = WatchGrpc.newStub(channel).watch(reply);
    requests.onNext(WatchRequest.newBuilder().setCreateRequest(request).build());
    return () -> {
      reply.isDone = true;
      requests.onError(Status.CANCELLED.asException());
    };
  }

  private static <S extends AbstractStub<S>> S limited(S stub) {
    return stub.withDeadlineAfter(CALL_TIMEOUT_MS, TimeUnit.MILLISECONDS);
  }

  // --- state ---

  /** The server, as host:port. */
  String server() {
    return server.server();
  }

  /** Since when the server has been answering; empty if it never has. */
  OptionalLong firstAnswerNs() {
    return firstAnswerNs;
  }

  /** When it last answered; empty if it never has. */
  OptionalLong lastAnswerNs() {
    return lastAnswerNs;
  }

  /** How long the server has been answering; 0 if it never has. */
  long answeringMs() {
    long nowNs = control.time().nowNs();
    return TimeUnit.NANOSECONDS.toMillis(nowNs - firstAnswerNs.orElse(nowNs));
  }

  /** What to report of a refusal or failure. */
  UpstreamProblem problem(Status why) {
    // gRPC's own text says how many nanoseconds it was, and other things that do not help.
    Status said =
        why.getCode() == Status.Code.DEADLINE_EXCEEDED
            ? Status.DEADLINE_EXCEEDED.withDescription(
                "no answer within " + CALL_TIMEOUT_MS / 1_000 + " s")
            : why;
    return server.problem(EtcdErrors.withDenial(said));
  }

  /** Ends the session because of this error of the server. */
  void end(Status why) {
    if (!isEnded) {
      isEnded = true;
      owner.onEnd(this, problem(why), EtcdErrors.isStaleToken(why));
    }
  }

  /** Ends the session without telling its owner. */
  void close() {
    isEnded = true;
  }

  /** The answers to one call. */
  private final class Reply<A> implements StreamObserver<A> {
    private final Consumer<A> onAnswer;
    private final Consumer<Status> onRefused;
    private boolean isStream;
    private boolean isDone;

    Reply(Consumer<A> onAnswer, Consumer<Status> onRefused) {
      this.onAnswer = onAnswer;
      this.onRefused = onRefused;
    }

    @Override
    public void onNext(A answer) {
      if (isDone || isEnded) {
        return;
      }
      isDone = !isStream;
      lastAnswerNs = OptionalLong.of(control.time().nowNs());
      if (firstAnswerNs.isEmpty()) {
        firstAnswerNs = lastAnswerNs;
      }
      onAnswer.accept(answer);
    }

    @Override
    public void onError(Throwable error) {
      if (isDone || isEnded) {
        return;
      }
      Status status = Status.fromThrowable(error);
      // gRPC may call this while a call is being made, and the caller is not ready for that.
      control.eventLoop().execute(() -> onEnd(status));
    }

    @Override
    public void onCompleted() {
      onError(Status.UNAVAILABLE.withDescription("the server ended the call").asException());
    }

    private void onEnd(Status status) {
      if (isDone || isEnded) {
        return;
      }
      isDone = true;
      if (EtcdErrors.isRefusal(status)) {
        onRefused.accept(status);
      } else {
        end(status);
      }
    }
  }
}
