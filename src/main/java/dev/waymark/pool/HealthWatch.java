package dev.waymark.pool;

import dev.waymark.core.LoopTime;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The health of one upstream, asked for ever. Each try is a channel of its own, so that only our
 * back-off sets the pace, not gRPC's, and a name is resolved anew for each. Confined to the control
 * thread.
 */
final class HealthWatch {
  /** A try without an answer for this long has failed; it covers the connect, which has 5 s. */
  static final long FIRST_ANSWER_TIMEOUT_MS = 10_000;

  /** Finds the socket address to dial; calls back once, on the control thread. */
  interface AddressFinder {
    void find(Consumer<SocketAddress> onFound, Consumer<String> onFailed);
  }

  /** Hears what the Watch says. */
  interface Listener {
    void onHealth(UpstreamHealth health);

    void onBroken(String reason);
  }

  private final EventLoop loop;
  private final LoopTime time;
  private final Function<SocketAddress, ManagedChannel> channels;
  private final HealthCheckRequest request;
  private final AddressFinder addresses;
  private final Backoff backoff;
  private final Listener listener;

  private @Nullable Try current;
  private @Nullable ScheduledFuture<?> nextTry;
  private boolean isClosed;

  /**
   * @param channels opens a channel for a try, which shuts it down
   */
  HealthWatch(
      ControlLoop control,
      Function<SocketAddress, ManagedChannel> channels,
      String service,
      AddressFinder addresses,
      Backoff backoff,
      Listener listener) {
    this.loop = control.eventLoop();
    this.time = control.time();
    this.channels = channels;
    this.request = HealthCheckRequest.newBuilder().setService(service).build();
    this.addresses = addresses;
    this.backoff = backoff;
    this.listener = listener;
  }

  /** Opens the first Watch. */
  void start() {
    addresses.find(this::open, this::broken);
  }

  void close() {
    isClosed = true;
    end();
    if (nextTry != null) {
      nextTry.cancel(false);
    }
  }

  private void open(SocketAddress address) {
    if (!isClosed) {
      current = new Try(channels.apply(address));
      current.start();
    }
  }

  private void broken(String reason) {
    if (isClosed) {
      return;
    }
    end();
    nextTry = loop.schedule(this::start, backoff.nextMs(), TimeUnit.MILLISECONDS);
    listener.onHealth(UpstreamHealth.UNREACHABLE);
    listener.onBroken(reason);
  }

  private void end() {
    Try ended = current;
    current = null;
    if (ended != null) {
      ended.end();
    }
  }

  /** One channel and its Watch; what comes after its end is dropped. */
  private final class Try implements StreamObserver<HealthCheckResponse> {
    private final ManagedChannel channel;
    private final StandstillCheck standstill = new StandstillCheck(time);
    private @Nullable ScheduledFuture<?> firstAnswerTimeout;
    private long firstAnswerNs;

    Try(ManagedChannel channel) {
      this.channel = channel;
    }

    void start() {
      firstAnswerTimeout =
          loop.schedule(
              () -> timedOut("no answer in time"), FIRST_ANSWER_TIMEOUT_MS, TimeUnit.MILLISECONDS);
      HealthGrpc.newStub(channel).watch(request, this);
    }

    void end() {
      if (hasAnswered()) {
        backoff.resetAfter(TimeUnit.NANOSECONDS.toMillis(time.nowNs() - firstAnswerNs));
      }
      cancelTimeout();
      channel.shutdownNow();
    }

    @Override
    public void onNext(HealthCheckResponse response) {
      ServingStatus status = response.getStatus();
      onLoop(() -> answered(UpstreamHealth.of(status)));
    }

    @Override
    public void onError(Throwable error) {
      Status status = Status.fromThrowable(error);
      onLoop(() -> {
        if (status.getCode() == Status.Code.UNIMPLEMENTED && !hasAnswered()) {
          followTransport();
        } else if (status.getCause() instanceof ConnectTimeoutException) {
          timedOut(describe(status));
        } else {
          fail(describe(status));
        }
      });
    }

    @Override
    public void onCompleted() {
      onLoop(() -> fail("the upstream ended the Watch"));
    }

    private void followTransport() {
      ConnectivityState state = channel.getState(false);
      if (state == ConnectivityState.READY) {
        answered(UpstreamHealth.UNIMPLEMENTED);
        channel.notifyWhenStateChanged(
            state, () -> onLoop(() -> fail("the transport is " + channel.getState(false))));
      } else {
        fail("the transport is " + state);
      }
    }

    private void answered(UpstreamHealth health) {
      if (!hasAnswered()) {
        firstAnswerNs = time.nowNs();
      }
      cancelTimeout();
      listener.onHealth(health);
    }

    /** Once started, it is armed until the first answer. */
    private boolean hasAnswered() {
      return firstAnswerTimeout == null;
    }

    /** Tried again at once where it was the bridge that did nothing for a while. */
    private void timedOut(String reason) {
      if (!standstill.hasStoodStill()) {
        fail(reason);
      } else if (current == this) {
        HealthWatch.this.end();
        HealthWatch.this.start();
      }
    }

    private void fail(String reason) {
      if (current == this) {
        broken(reason);
      }
    }

    private void cancelTimeout() {
      if (firstAnswerTimeout != null) {
        firstAnswerTimeout.cancel(false);
        firstAnswerTimeout = null;
      }
    }

    /** gRPC calls back on the channel's loop, which need not be ours with another factory. */
    private void onLoop(Runnable step) {
      if (!loop.inEventLoop()) {
        loop.execute(() -> onLoop(step));
      } else if (current == this) {
        step.run();
      }
    }
  }

  /**
   * "UNAVAILABLE: io exception: Connection refused: …" without stack trace; the cause says more
   * than gRPC's own words.
   */
  private static String describe(Status status) {
    Throwable cause = status.getCause();
    String detail =
        cause != null && cause.getMessage() != null ? cause.getMessage() : status.getDescription();
    return detail == null ? status.getCode().name() : status.getCode() + ": " + detail;
  }
}
