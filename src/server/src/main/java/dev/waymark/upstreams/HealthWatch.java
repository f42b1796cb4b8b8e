package dev.waymark.upstreams;

import dev.waymark.engine.base.LoopTime;
import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.SocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The health of one upstream, asked for ever. Each try is a channel of its own, so that only our
 * back-off sets the pace, not gRPC's, and a name is resolved anew for each. Confined to the control
 * thread.
 */
final class HealthWatch {
  /** A try without an answer for this long has failed; it covers the connect, which has 5 s. */
  static final long FIRST_ANSWER_TIMEOUT_MS = 10_000;

  /** A try without an answer for this long is told of, and goes on. */
  static final long SILENCE_MS = 1_500;

  /** Finds the socket address to dial; calls back once, on the control thread. */
  interface AddressFinder {
    void find(Consumer<SocketAddress> onFound, Consumer<UpstreamProblem> onFailed);
  }

  /** Opens a channel for a try, which shuts it down. */
  interface Channels {
    ManagedChannel open(SocketAddress address, Dial dial);
  }

  /** Hears what the Watch says. */
  interface Listener {
    void onHealth(UpstreamHealth health);

    /** Why it does not serve, as far as is known; called for every try that shows it. */
    void onProblem(UpstreamProblem problem);

    /** A try failed; it is tried again. */
    void onBroken(UpstreamProblem problem);
  }

  private final EventLoop loop;
  private final LoopTime time;
  private final Channels channels;
  private final HealthCheckRequest request;
  private final AddressFinder addresses;
  private final RetryWaits waits;
  private final Listener listener;

  private @Nullable Try current;
  private @Nullable ScheduledFuture<?> nextTry;
  private boolean isClosed;

  HealthWatch(
      ControlLoop control,
      Channels channels,
      String service,
      AddressFinder addresses,
      RetryWaits waits,
      Listener listener) {
    this.loop = control.eventLoop();
    this.time = control.time();
    this.channels = channels;
    this.request = HealthCheckRequest.newBuilder().setService(service).build();
    this.addresses = addresses;
    this.waits = waits;
    this.listener = listener;
  }

  /** Opens the first Watch. */
  void start() {
    if (isClosed) {
      return;
    }
    try {
      addresses.find(this::open, this::broken);
    } catch (RuntimeException bug) {
      broken(defect(bug));
    }
  }

  /** The upstream is there, for all that others know: a try that waits comes at once. */
  void tryNow() {
    if (nextTry != null && nextTry.cancel(false)) {
      start();
    }
  }

  void close() {
    isClosed = true;
    end();
    if (nextTry != null) {
      nextTry.cancel(false);
    }
  }

  private void open(SocketAddress address) {
    if (isClosed) {
      return;
    }
    try {
      Dial dial = new Dial();
      current = new Try(channels.open(address, dial), dial);
      current.start();
    } catch (RuntimeException bug) {
      broken(defect(bug));
    }
  }

  private static UpstreamProblem defect(RuntimeException bug) {
    return new UpstreamProblem(Kind.INTERNAL, "a defect of the bridge: " + bug);
  }

  private void broken(UpstreamProblem problem) {
    if (isClosed) {
      return;
    }
    end();
    nextTry = loop.schedule(this::start, waits.nextMs(), TimeUnit.MILLISECONDS);
    listener.onHealth(UpstreamHealth.UNREACHABLE);
    listener.onProblem(problem);
    listener.onBroken(problem);
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
    private final AnswerLimit limit = new AnswerLimit();
    private final Dial dial;
    private @Nullable ScheduledFuture<?> silence;
    private @Nullable ScheduledFuture<?> firstAnswerTimeout;
    private long firstAnswerNs;

    Try(ManagedChannel channel, Dial dial) {
      this.channel = channel;
      this.dial = dial;
    }

    void start() {
      silence = loop.schedule(this::stillSilent, SILENCE_MS, TimeUnit.MILLISECONDS);
      firstAnswerTimeout =
          loop.schedule(this::noAnswer, FIRST_ANSWER_TIMEOUT_MS, TimeUnit.MILLISECONDS);
      HealthGrpc.newStub(channel).watch(request, this);
    }

    void end() {
      if (hasAnswered()) {
        waits.resetAfter(TimeUnit.NANOSECONDS.toMillis(time.nowNs() - firstAnswerNs));
      }
      cancelTimeout();
      channel.shutdownNow();
    }

    private void stillSilent() {
      if (!standstill.hasStoodStill()) {
        dial.problemOfSilence().ifPresent(listener::onProblem);
      }
    }

    private void noAnswer() {
      timedOut(
          dial.problemOfSilence()
              .orElseGet(() ->
                  new UpstreamProblem(
                      Kind.HEALTH_SILENT,
                      "speaks HTTP/2, but its health service does not answer within "
                          + FIRST_ANSWER_TIMEOUT_MS / 1_000
                          + " s")));
    }

    @Override
    public void onNext(HealthCheckResponse response) {
      UpstreamHealth health = UpstreamHealth.of(response.getStatus());
      onLoop(() -> {
        String excess = limit.onAnswer(time.nowNs(), health);
        if (excess == null) {
          answered(health);
        } else {
          fail(new UpstreamProblem(Kind.FLOOD, excess));
        }
      });
    }

    @Override
    public void onError(Throwable error) {
      Status status = Status.fromThrowable(error);
      onLoop(() -> {
        if (status.getCode() == Status.Code.UNIMPLEMENTED && !hasAnswered()) {
          followTransport();
          return;
        }
        UpstreamProblem problem = dial.problem().orElseGet(() -> problemOf(status));
        if (status.getCause() instanceof ConnectTimeoutException) {
          timedOut(problem);
        } else {
          fail(problem);
        }
      });
    }

    @Override
    public void onCompleted() {
      onLoop(() ->
          fail(new UpstreamProblem(Kind.HEALTH_FAILED, "the upstream ended the health Watch")));
    }

    private void followTransport() {
      ConnectivityState state = channel.getState(false);
      if (state == ConnectivityState.READY) {
        answered(UpstreamHealth.UNIMPLEMENTED);
        channel.notifyWhenStateChanged(state, () -> onLoop(() -> fail(lost())));
      } else {
        fail(lost());
      }
    }

    private UpstreamProblem lost() {
      return dial.problem()
          .orElseGet(() ->
              new UpstreamProblem(
                  Kind.CONNECTION_LOST,
                  "the connection is lost; the channel is " + channel.getState(false)));
    }

    private UpstreamProblem problemOf(Status status) {
      return hasAnswered()
          ? new UpstreamProblem(Kind.CONNECTION_LOST, "the health Watch broke: " + describe(status))
          : new UpstreamProblem(Kind.HEALTH_FAILED, "the health Watch failed: " + describe(status));
    }

    private void answered(UpstreamHealth health) {
      if (!hasAnswered()) {
        firstAnswerNs = time.nowNs();
      }
      cancelTimeout();
      listener.onHealth(health);
      saidOf(health).ifPresent(listener::onProblem);
    }

    /** Once started, it is armed until the first answer. */
    private boolean hasAnswered() {
      return firstAnswerTimeout == null;
    }

    /** Tried again at once where it was the bridge that did nothing for a while. */
    private void timedOut(UpstreamProblem problem) {
      if (!standstill.hasStoodStill()) {
        fail(problem);
      } else if (current == this) {
        HealthWatch.this.end();
        HealthWatch.this.start();
      }
    }

    private void fail(UpstreamProblem problem) {
      if (current == this) {
        broken(problem);
      }
    }

    private void cancelTimeout() {
      if (silence != null) {
        silence.cancel(false);
        silence = null;
      }
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

  /** What an upstream says of itself; empty: it serves. */
  private Optional<UpstreamProblem> saidOf(UpstreamHealth health) {
    return switch (health) {
      case SERVING, UNIMPLEMENTED, UNREACHABLE -> Optional.empty();
      case NOT_SERVING ->
          problem(Kind.NOT_SERVING, "its health service says NOT_SERVING" + ofService());
      case SERVICE_UNKNOWN ->
          problem(
              Kind.SERVICE_UNKNOWN,
              "its health service knows no service '" + request.getService() + "'");
      case UNKNOWN -> problem(Kind.HEALTH_UNKNOWN, "its health service says UNKNOWN" + ofService());
    };
  }

  private String ofService() {
    return request.getService().isEmpty() ? "" : " of service '" + request.getService() + "'";
  }

  private static Optional<UpstreamProblem> problem(Kind kind, String text) {
    return Optional.of(new UpstreamProblem(kind, text));
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
