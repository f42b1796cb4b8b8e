package dev.waymark.tools.directory.xds;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * One stream: reads requests as fast as its client may send them, and sends a response only when
 * those before it are on their way, so that a client that does not read costs one response of
 * memory. Confined to the event loop.
 */
final class AdsStream<Q, R> implements StreamObserver<Q> {
  /** What streams have in common. */
  record Shared(
      ScheduledExecutorService loop, LongSupplier nowNs, AdsLimits limits, AdsEvents events) {}

  private final ServerCallStreamObserver<R> call;
  private final Client client;
  private final Dialect<Q, R> dialect;
  private final Shared shared;
  private final RequestPace pace;
  private final Consumer<AdsStream<Q, R>> onEnd;
  private boolean isEnded;

  /**
   * Begins to read. Call it in the method that gRPC calls for the stream.
   *
   * @param onEnd called once, when the stream has ended
   */
  AdsStream(
      ServerCallStreamObserver<R> call,
      Client client,
      Dialect<Q, R> dialect,
      Shared shared,
      Consumer<AdsStream<Q, R>> onEnd) {
    this.call = call;
    this.client = client;
    this.dialect = dialect;
    this.shared = shared;
    this.pace = new RequestPace(shared.limits.requestsPerSecond(), shared.nowNs.getAsLong());
    this.onEnd = onEnd;
    call.disableAutoRequest();
    call.setOnReadyHandler(this::send);
    call.setOnCancelHandler(this::ended);
    call.request(1);
  }

  // --- inputs ---

  @Override
  public void onNext(Q request) {
    if (isEnded) {
      return;
    }
    Optional<String> refused = dialect.onRequest(request);
    if (refused.isPresent()) {
      shared.events.onStreamRefused(client.node(), client.peer(), refused.get());
      end(Status.RESOURCE_EXHAUSTED.withDescription(refused.get()));
      return;
    }
    send();
    long waitNs = pace.afterRequestNs(shared.nowNs.getAsLong());
    if (waitNs == 0) {
      call.request(1);
    } else {
      shared.loop.schedule(this::readOn, waitNs, TimeUnit.NANOSECONDS);
    }
  }

  private void readOn() {
    if (!isEnded) {
      call.request(1);
    }
  }

  @Override
  public void onError(Throwable cancelled) {
    ended();
  }

  @Override
  public void onCompleted() {
    if (!isEnded) {
      call.onCompleted();
      ended();
    }
  }

  void onChanged(Set<String> changed, Set<String> newOrGone) {
    dialect.onChanged(changed, newOrGone);
    send();
  }

  /** Sends what is due, as far as the client reads. */
  void send() {
    while (!isEnded && call.isReady()) {
      Optional<R> response = dialect.next();
      if (response.isEmpty()) {
        return;
      }
      call.onNext(response.get());
    }
  }

  void end(Status why) {
    if (!isEnded) {
      call.onError(why.asRuntimeException());
      ended();
    }
  }

  private void ended() {
    if (!isEnded) {
      isEnded = true;
      onEnd.accept(this);
    }
  }

  // --- outputs ---

  StreamStatus status() {
    return new StreamStatus(client.node(), client.peer(), dialect.isIncremental(), dialect.types());
  }
}
