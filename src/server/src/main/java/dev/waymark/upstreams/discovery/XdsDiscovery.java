package dev.waymark.upstreams.discovery;

import dev.waymark.config.ConfigException;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.registry.client.RegistryChannel;
import dev.waymark.registry.client.RegistryChannels;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import dev.waymark.upstreams.control.Since;
import dev.waymark.upstreams.discovery.SourceReport.Standing;
import dev.waymark.xds.EdsDialect;
import dev.waymark.xds.EdsService;
import dev.waymark.xds.proto.AggregatedDiscoveryServiceGrpc;
import dev.waymark.xds.proto.AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceStub;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Follows the endpoints of a service at a control plane, over ADS: incremental, or in state of the
 * world at a server that does not have that. A stream that breaks is opened again, at the next
 * server if there are several; meanwhile the upstreams stay as they are.
 *
 * <p>Confined to the control thread.
 */
final class XdsDiscovery implements DiscoverySource {
  private static final Duration RETRY_MIN = Duration.ofMillis(250);
  private static final Duration RETRY_MAX = Duration.ofSeconds(30);

  /** When a service of which nothing was said does not exist ("xDS REST and gRPC protocol"). */
  static final Duration OVERDUE = Duration.ofSeconds(15);

  /** A stream is taken to work when it has lasted so long: there may be nothing to say on it. */
  private static final long ACCEPTED_MS = 1_000;

  /** Changes within this time are told together: a rollout makes many. */
  private static final long TELL_MS = 50;

  /** A list of as many endpoints as are taken, with labels, has several megabytes. */
  private static final int RESPONSE_BYTES_MAX = 16 * 1024 * 1024;

  /** What the callbacks were last told. */
  private record Told(List<Endpoint> upstreams, Optional<UpstreamProblem> problem) {}

  private final ControlLoop control;
  private final RegistryChannels channels;
  private final Optional<Token> token;
  private final RetryWaits waits;
  private final Duration overdue;
  private final Consumer<List<Endpoint>> onFound;
  private final Consumer<UpstreamProblem> onFailed;
  private final EdsService service;

  /** The servers that know state of the world only. */
  private final Set<String> sotwOnly = new HashSet<>();

  /** Empty if the last thing that was told is that a stream broke. */
  private Optional<Told> told = Optional.empty();

  private final Since<Standing> since = new Since<>();
  private OptionalLong heardNs = OptionalLong.empty();
  private @Nullable Call<?, ?> current;
  private @Nullable ScheduledFuture<?> nextCall;
  private @Nullable ScheduledFuture<?> nextTell;
  private boolean isClosed;

  /**
   * @param client names the bridge to the control plane
   * @param token for its calls; empty: none
   * @param random for jitter
   * @param overdue {@link #OVERDUE}, but for tests
   * @param onFound receives all upstreams, after every change
   * @param onFailed receives why they cannot be found, or why there are none
   */
  XdsDiscovery(
      Target.Registered target,
      String client,
      ControlLoop control,
      RegistryChannels channels,
      Optional<Token> token,
      RandomGenerator random,
      Duration overdue,
      Consumer<List<Endpoint>> onFound,
      Consumer<UpstreamProblem> onFailed) {
    this.control = control;
    this.channels = channels;
    this.token = token;
    this.waits = new RetryWaits(RETRY_MIN, RETRY_MAX, random);
    this.overdue = overdue;
    this.onFound = onFound;
    this.onFailed = onFailed;
    this.service = new EdsService(target.service(), client);
  }

  @Override
  public void start() {
    channels.open(this::call, this::broken);
  }

  @Override
  public void close() {
    isClosed = true;
    cancel(nextCall);
    cancel(nextTell);
    endCall();
    channels.close();
  }

  private static void cancel(@Nullable ScheduledFuture<?> timer) {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  // --- streams ---

  private void call(RegistryChannel channel) {
    if (sotwOnly.contains(channel.server())) {
      new Call<>(
              channel,
              service.stateOfTheWorld(),
              AggregatedDiscoveryServiceStub::streamAggregatedResources)
          .start();
    } else {
      new Call<>(
              channel,
              service.incremental(),
              AggregatedDiscoveryServiceStub::deltaAggregatedResources)
          .start();
    }
  }

  private void broken(UpstreamProblem problem) {
    if (isClosed) {
      return;
    }
    endCall();
    nextCall = control.eventLoop().schedule(this::start, waits.nextMs(), TimeUnit.MILLISECONDS);
    if (nextTell != null) {
      nextTell.cancel(false);
      tell();
    }
    told = Optional.empty();
    onFailed.accept(problem);
  }

  private void endCall() {
    Call<?, ?> ended = current;
    current = null;
    if (ended != null) {
      ended.end();
      ended.channel.close();
    }
  }

  // --- outputs ---

  private void tellSoon() {
    if (nextTell == null) {
      nextTell = control.eventLoop().schedule(this::tell, TELL_MS, TimeUnit.MILLISECONDS);
    }
  }

  @Override
  public Optional<SourceReport> report() {
    List<SourceReport.Entry> entries =
        service.endpoints().stream()
            .map(known ->
                new SourceReport.Entry(
                    known.endpoint(),
                    Standing.of(known.health()),
                    known.withheld(),
                    since.of(known.endpoint().address())))
            .toList();
    return Optional.of(
        new SourceReport(
            Optional.ofNullable(current).flatMap(Call::server),
            heardNs,
            service.currentVersion(),
            entries));
  }

  private void noteStandings() {
    Map<String, Standing> standings = new HashMap<>();
    service
        .endpoints()
        .forEach(known -> standings.put(known.endpoint().address(), Standing.of(known.health())));
    since.update(standings, control.time().nowNs());
  }

  private void tell() {
    nextTell = null;
    noteStandings();
    Told now = new Told(service.upstreams(), service.problem());
    if (told.equals(Optional.of(now))) {
      return;
    }
    told = Optional.of(now);
    if (service.isKnown()) {
      onFound.accept(now.upstreams());
    }
    now.problem().ifPresent(onFailed);
  }

  /** One stream, on a channel of its own, or on that of an incremental one that was refused. */
  private final class Call<Q, R> implements ClientResponseObserver<Q, R> {
    private final RegistryChannel channel;
    private final EdsDialect<Q, R> dialect;
    private final BiFunction<AggregatedDiscoveryServiceStub, StreamObserver<R>, StreamObserver<Q>>
        method;
    private final long startedNs = control.time().nowNs();
    private @Nullable ClientCallStreamObserver<Q> stream;
    private @Nullable ScheduledFuture<?> answerDue;
    private @Nullable ScheduledFuture<?> accepted;
    private OptionalLong workingNs = OptionalLong.empty();
    private boolean hasAnswered;

    Call(
        RegistryChannel channel,
        EdsDialect<Q, R> dialect,
        BiFunction<AggregatedDiscoveryServiceStub, StreamObserver<R>, StreamObserver<Q>> method) {
      this.channel = channel;
      this.dialect = dialect;
      this.method = method;
    }

    void start() {
      current = this;
      awaitAnswer();
      var stub =
          AggregatedDiscoveryServiceGrpc.newStub(channel.channel())
              .withMaxInboundMessageSize(RESPONSE_BYTES_MAX);
      try {
        if (token.isPresent()) {
          stub = stub.withCallCredentials(token.get().read());
        }
      } catch (ConfigException unusable) {
        broken(new UpstreamProblem(Kind.REGISTRY_DENIED, String.valueOf(unusable.getMessage())));
        return;
      }
      method.apply(stub, this).onNext(dialect.first());
    }

    /** Empty until it has answered, or has been taken to work. */
    Optional<SourceReport.Server> server() {
      return workingNs.isPresent()
          ? Optional.of(new SourceReport.Server(channel.server(), workingNs.getAsLong()))
          : Optional.empty();
    }

    private void works() {
      workingNs = workingNs.isPresent() ? workingNs : OptionalLong.of(control.time().nowNs());
    }

    private void awaitAnswer() {
      cancel(answerDue);
      answerDue =
          control.eventLoop().schedule(this::onOverdue, overdue.toMillis(), TimeUnit.MILLISECONDS);
    }

    void end() {
      cancel(answerDue);
      cancel(accepted);
      if (hasAnswered) {
        waits.resetAfter(TimeUnit.NANOSECONDS.toMillis(control.time().nowNs() - startedNs));
      }
      if (stream != null) {
        stream.cancel("no longer needed", null);
      }
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<Q> call) {
      stream = call;
      call.setOnReadyHandler(this::onReady);
    }

    private void onReady() {
      if (current == this && accepted == null) {
        awaitAnswer();
        accepted =
            control.eventLoop().schedule(this::onAccepted, ACCEPTED_MS, TimeUnit.MILLISECONDS);
      }
    }

    private void onAccepted() {
      works();
      if (service.isKnown()) {
        tellSoon();
      }
    }

    @Override
    public void onNext(R response) {
      if (current != this) {
        return;
      }
      hasAnswered = true;
      works();
      heardNs = OptionalLong.of(control.time().nowNs());
      dialect.onResponse(response).ifPresent(this::answer);
      tellSoon();
    }

    private void answer(Q request) {
      if (stream != null) {
        stream.onNext(request);
      }
    }

    /** A server that is not reached, or that has nothing to say, is left if there is another. */
    private void onOverdue() {
      boolean isReached = accepted != null;
      if (isReached && (hasAnswered || service.isKnown())) {
        return;
      }
      if (isReached && channels.serverCount() == 1) {
        service.onOverdue();
        tellSoon();
        return;
      }
      String what = isReached ? ": says nothing of the service" : ": does not answer";
      broken(
          new UpstreamProblem(
              Kind.REGISTRY_FAILED,
              channel.server() + what + " within " + overdue.toSeconds() + " s"));
    }

    @Override
    public void onError(Throwable error) {
      if (current != this) {
        return;
      }
      Status status = Status.fromThrowable(error);
      boolean isIncremental = !sotwOnly.contains(channel.server());
      if (status.getCode() == Status.Code.UNIMPLEMENTED && isIncremental && !hasAnswered) {
        sotwOnly.add(channel.server());
        end();
        call(channel);
      } else {
        broken(channel.problem(status));
      }
    }

    @Override
    public void onCompleted() {
      if (current == this) {
        broken(
            new UpstreamProblem(
                Kind.REGISTRY_FAILED, channel.server() + ": the control plane ended the stream"));
      }
    }
  }
}
