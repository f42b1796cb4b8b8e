package dev.waymark.upstreams;

import dev.waymark.engine.base.LoopTime;
import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import dev.waymark.upstreams.control.StandstillCheck;
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
 * Watches the health of one upstream, retrying forever. Each attempt resolves the name again and
 * has its own channel, so that our back-off sets the pace rather than gRPC's. Confined to the
 * control thread.
 */
final class HealthWatch {
  /** An attempt without an answer for this long fails; includes the connect timeout of 5 s. */
  static final long FIRST_ANSWER_TIMEOUT_MS = 10_000;

  /** An attempt without an answer for this long is reported, but continues. */
  static final long SILENCE_MS = 1_500;

  /**
   * A Watch that ends with GOAWAY after at least this long is replaced at once, and meanwhile the
   * upstream counts as what it was: servers end connections by age, and proxies when they reload.
   */
  static final long REPLACED_AFTER_MS = 500;

  /** Finds the socket address to dial; calls back once, on the control thread. */
  interface AddressFinder {
    void find(Consumer<SocketAddress> onFound, Consumer<UpstreamProblem> onFailed);
  }

  /** Opens the channel of an attempt, which shuts it down. */
  interface Channels {
    ManagedChannel open(SocketAddress address, Dial dial);
  }

  /** Receives the results of the Watch. */
  interface Listener {
    void onHealth(UpstreamHealth health);

    /**
     * Called with the reason, as far as known, in every attempt that finds the upstream not
     * serving.
     */
    void onProblem(UpstreamProblem problem);

    /** Called when an attempt failed; another one follows. */
    void onBroken(UpstreamProblem problem);
  }

  private final EventLoop loop;
  private final LoopTime time;
  private final Channels channels;
  private final HealthCheckRequest request;
  private final AddressFinder addresses;
  private final RetryWaits waits;
  private final Listener listener;

  private @Nullable Attempt current;
  private @Nullable ScheduledFuture<?> nextAttempt;
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
      broken(problemOfBug(bug));
    }
  }

  /** Ends a back-off early, because there is other evidence that the upstream is reachable. */
  void retryNow() {
    if (nextAttempt != null && nextAttempt.cancel(false)) {
      start();
    }
  }

  void close() {
    isClosed = true;
    endAttempt();
    if (nextAttempt != null) {
      nextAttempt.cancel(false);
    }
  }

  private void open(SocketAddress address) {
    if (isClosed) {
      return;
    }
    try {
      Dial dial = new Dial();
      current = new Attempt(channels.open(address, dial), dial);
      current.start();
    } catch (RuntimeException bug) {
      broken(problemOfBug(bug));
    }
  }

  private static UpstreamProblem problemOfBug(RuntimeException bug) {
    return new UpstreamProblem(Kind.INTERNAL, "a bug in the bridge: " + bug);
  }

  private void broken(UpstreamProblem problem) {
    if (isClosed) {
      return;
    }
    endAttempt();
    nextAttempt = loop.schedule(this::start, waits.nextMs(), TimeUnit.MILLISECONDS);
    listener.onHealth(UpstreamHealth.UNREACHABLE);
    listener.onProblem(problem);
    listener.onBroken(problem);
  }

  private void replace() {
    endAttempt();
    start();
  }

  private void endAttempt() {
    Attempt ended = current;
    current = null;
    if (ended != null) {
      ended.end();
    }
  }

  /** One channel and its Watch; events after its end are ignored. */
  private final class Attempt implements StreamObserver<HealthCheckResponse> {
    private final ManagedChannel channel;
    private final StandstillCheck standstill = new StandstillCheck(time);
    private final AnswerLimit limit = new AnswerLimit();
    private final Dial dial;
    private @Nullable ScheduledFuture<?> silence;
    private @Nullable ScheduledFuture<?> firstAnswerTimeout;
    private long firstAnswerNs;

    Attempt(ManagedChannel channel, Dial dial) {
      this.channel = channel;
      this.dial = dial;
    }

    void start() {
      silence = loop.schedule(this::onSilence, SILENCE_MS, TimeUnit.MILLISECONDS);
      firstAnswerTimeout =
          loop.schedule(this::onNoAnswer, FIRST_ANSWER_TIMEOUT_MS, TimeUnit.MILLISECONDS);
      HealthGrpc.newStub(channel).watch(request, this);
    }

    void end() {
      if (hasAnswered()) {
        waits.resetAfter(answeredMs());
      }
      cancelTimeouts();
      channel.shutdownNow();
    }

    private void onSilence() {
      if (!standstill.hasStoodStill()) {
        dial.problemOfSilence().ifPresent(listener::onProblem);
      }
    }

    private void onNoAnswer() {
      timedOut(
          dial.problemOfSilence()
              .orElseGet(() ->
                  new UpstreamProblem(
                      Kind.HEALTH_SILENT,
                      "speaks HTTP/2, but its health service did not answer within "
                          + FIRST_ANSWER_TIMEOUT_MS / 1_000
                          + " s")));
    }

    @Override
    public void onNext(HealthCheckResponse response) {
      UpstreamHealth health = UpstreamHealth.of(response.getStatus());
      onLoop(() -> {
        String excess = limit.onAnswer(time.nowNs(), health);
        if (excess == null) {
          onAnswer(health);
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
        onAnswer(UpstreamHealth.UNIMPLEMENTED);
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
                  "the connection was lost; the channel is " + channel.getState(false)));
    }

    private UpstreamProblem problemOf(Status status) {
      return hasAnswered()
          ? new UpstreamProblem(Kind.CONNECTION_LOST, "the health Watch broke: " + describe(status))
          : new UpstreamProblem(Kind.HEALTH_FAILED, "the health Watch failed: " + describe(status));
    }

    private void onAnswer(UpstreamHealth health) {
      if (!hasAnswered()) {
        firstAnswerNs = time.nowNs();
      }
      cancelTimeouts();
      listener.onHealth(health);
      reportedProblem(health).ifPresent(listener::onProblem);
    }

    /** The timeout is armed from the start until the first answer. */
    private boolean hasAnswered() {
      return firstAnswerTimeout == null;
    }

    /**
     * Fails, or retries at once if the control thread stood still: the peer may not be at fault.
     */
    private void timedOut(UpstreamProblem problem) {
      if (!standstill.hasStoodStill()) {
        fail(problem);
      } else if (current == this) {
        replace();
      }
    }

    private void fail(UpstreamProblem problem) {
      if (current != this) {
        return;
      }
      if (dial.isLeaving() && hasAnswered() && answeredMs() >= REPLACED_AFTER_MS) {
        replace();
      } else {
        broken(problem);
      }
    }

    private long answeredMs() {
      return TimeUnit.NANOSECONDS.toMillis(time.nowNs() - firstAnswerNs);
    }

    private void cancelTimeouts() {
      if (silence != null) {
        silence.cancel(false);
        silence = null;
      }
      if (firstAnswerTimeout != null) {
        firstAnswerTimeout.cancel(false);
        firstAnswerTimeout = null;
      }
    }

    /** gRPC calls back on the channel's loop, which may differ: it depends on {@link Channels}. */
    private void onLoop(Runnable step) {
      if (!loop.inEventLoop()) {
        loop.execute(() -> onLoop(step));
      } else if (current == this) {
        step.run();
      }
    }
  }

  /** The problem that the upstream itself reports, if any. */
  private Optional<UpstreamProblem> reportedProblem(UpstreamHealth health) {
    return switch (health) {
      case SERVING, UNIMPLEMENTED, UNREACHABLE -> Optional.empty();
      case NOT_SERVING ->
          problem(Kind.NOT_SERVING, "its health service reports NOT_SERVING" + forService());
      case SERVICE_UNKNOWN ->
          problem(
              Kind.SERVICE_UNKNOWN,
              "its health service does not know service '" + request.getService() + "'");
      case UNKNOWN ->
          problem(Kind.HEALTH_UNKNOWN, "its health service reports UNKNOWN" + forService());
    };
  }

  private String forService() {
    return request.getService().isEmpty() ? "" : " for service '" + request.getService() + "'";
  }

  private static Optional<UpstreamProblem> problem(Kind kind, String text) {
    return Optional.of(new UpstreamProblem(kind, text));
  }

  /**
   * Returns, for example, "UNAVAILABLE: Connection refused: …", without a stack trace. The cause's
   * message says more than gRPC's description.
   */
  private static String describe(Status status) {
    Throwable cause = status.getCause();
    String detail =
        cause != null && cause.getMessage() != null ? cause.getMessage() : status.getDescription();
    return detail == null ? status.getCode().name() : status.getCode() + ": " + detail;
  }
}
