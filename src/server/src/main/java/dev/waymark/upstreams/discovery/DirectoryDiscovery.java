package dev.waymark.upstreams.discovery;

import dev.waymark.config.ConfigException;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.registry.client.RegistryChannel;
import dev.waymark.registry.client.RegistryChannels;
import dev.waymark.registry.wire.WatchedService;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import dev.waymark.upstreams.control.Since;
import dev.waymark.v1.RegistryGrpc;
import dev.waymark.v1.WatchRequest;
import dev.waymark.v1.WatchResponse;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Watches a service in a directory. A Watch that breaks is opened again, at the next server if
 * there are several, from the version that the bridge has; meanwhile the upstreams stay as they
 * are. What a directory that has just started does not know yet is kept ({@link WatchedService}).
 *
 * <p>Confined to the control thread.
 */
final class DirectoryDiscovery implements DiscoverySource {
  private static final Duration RETRY_MIN = Duration.ofMillis(250);
  private static final Duration RETRY_MAX = Duration.ofSeconds(5);

  /** When a Watch must have brought something. */
  private static final long FIRST_ANSWER_TIMEOUT_MS = 10_000;

  /** After so many heartbeats without a word, a directory is lost. */
  private static final int HEARTBEATS_MISSED_MAX = 3;

  private final Target.Registered target;
  private final String watcher;
  private final ControlLoop control;
  private final RegistryChannels channels;
  private final Optional<Token> token;
  private final RetryWaits waits;
  private final Consumer<List<Endpoint>> onFound;
  private final Consumer<UpstreamProblem> onFailed;
  private final WatchedService service;
  private final Since<SourceReport.Standing> since = new Since<>();

  /** What the callbacks were last told; empty if the Watch broke since then. */
  private Optional<RegisteredUpstreams> told = Optional.empty();

  private OptionalLong heardNs = OptionalLong.empty();
  private @Nullable Call current;
  private @Nullable ScheduledFuture<?> nextCall;
  private boolean isClosed;

  /**
   * @param watcher names the bridge to the directory, for people
   * @param token for its calls; empty: none
   * @param random for jitter
   * @param onFound receives all upstreams, after every change
   * @param onFailed receives why they cannot be found, or why there are none
   */
  DirectoryDiscovery(
      Target.Registered target,
      String watcher,
      ControlLoop control,
      RegistryChannels channels,
      Optional<Token> token,
      RandomGenerator random,
      Consumer<List<Endpoint>> onFound,
      Consumer<UpstreamProblem> onFailed) {
    this.target = target;
    this.watcher = watcher;
    this.control = control;
    this.channels = channels;
    this.token = token;
    this.waits = new RetryWaits(RETRY_MIN, RETRY_MAX, random);
    this.onFound = onFound;
    this.onFailed = onFailed;
    this.service = new WatchedService(target.service());
  }

  @Override
  public void start() {
    channels.open(this::watch, this::broken);
  }

  @Override
  public void close() {
    isClosed = true;
    cancel(nextCall);
    endCall();
    channels.close();
  }

  private static void cancel(@Nullable ScheduledFuture<?> timer) {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  private void watch(RegistryChannel channel) {
    Call call = new Call(channel);
    current = call;
    call.start();
  }

  private void broken(UpstreamProblem problem) {
    if (isClosed) {
      return;
    }
    endCall();
    told = Optional.empty();
    nextCall = control.eventLoop().schedule(this::start, waits.nextMs(), TimeUnit.MILLISECONDS);
    onFailed.accept(problem);
  }

  private void endCall() {
    Call ended = current;
    current = null;
    if (ended != null) {
      ended.end();
    }
  }

  private void onResponse(WatchResponse response) {
    boolean hasChanged = service.onResponse(response);
    // A directory that is back after a failure may have nothing new to say.
    if (hasChanged || (told.isEmpty() && service.isKnown())) {
      since.update(RegisteredUpstreams.standings(service), control.time().nowNs());
      tell();
    }
  }

  private void tell() {
    RegisteredUpstreams now = RegisteredUpstreams.of(target.service(), service);
    if (!told.equals(Optional.of(now))) {
      told = Optional.of(now);
      onFound.accept(now.upstreams());
      now.problem().ifPresent(onFailed);
    }
  }

  @Override
  public Optional<SourceReport> report() {
    String version =
        service.isKnown()
            ? service.version() + " of epoch " + Long.toHexString(service.epoch())
            : "";
    return Optional.of(
        new SourceReport(
            Optional.ofNullable(current).flatMap(Call::server),
            heardNs,
            version,
            RegisteredUpstreams.entries(service, since)));
  }

  /** One call of Watch, on a channel of its own. */
  private final class Call implements ClientResponseObserver<WatchRequest, WatchResponse> {
    private final RegistryChannel channel;
    private @Nullable ClientCallStreamObserver<WatchRequest> stream;
    private @Nullable ScheduledFuture<?> silence;
    private final long startedNs = control.time().nowNs();
    private OptionalLong answeredNs = OptionalLong.empty();

    Call(RegistryChannel channel) {
      this.channel = channel;
    }

    void start() {
      arm(FIRST_ANSWER_TIMEOUT_MS);
      var stub = RegistryGrpc.newStub(channel.channel());
      try {
        if (token.isPresent()) {
          stub = stub.withCallCredentials(token.get().read());
        }
      } catch (ConfigException unusable) {
        broken(new UpstreamProblem(Kind.REGISTRY_DENIED, String.valueOf(unusable.getMessage())));
        return;
      }
      stub.watch(
          WatchRequest.newBuilder()
              .addServices(target.service())
              .setEpoch(service.epoch())
              .setVersion(service.version())
              .setWatcher(watcher)
              .build(),
          this);
    }

    /** Empty until it has answered. */
    Optional<SourceReport.Server> server() {
      return answeredNs.isPresent()
          ? Optional.of(new SourceReport.Server(channel.server(), answeredNs.getAsLong()))
          : Optional.empty();
    }

    void end() {
      cancel(silence);
      if (answeredNs.isPresent()) {
        waits.resetAfter(TimeUnit.NANOSECONDS.toMillis(control.time().nowNs() - startedNs));
      }
      if (stream != null) {
        stream.cancel("no longer needed", null);
      }
      channel.close();
    }

    private void arm(long timeoutMs) {
      cancel(silence);
      silence = control.eventLoop().schedule(this::onSilence, timeoutMs, TimeUnit.MILLISECONDS);
    }

    private void onSilence() {
      fail(
          new UpstreamProblem(
              Kind.REGISTRY_FAILED,
              channel.server() + ": the directory is silent; it sends heartbeats"));
    }

    private void fail(UpstreamProblem problem) {
      if (current == this) {
        service.onTableBroken();
        broken(problem);
      }
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<WatchRequest> call) {
      stream = call;
    }

    @Override
    public void onNext(WatchResponse response) {
      if (current == this) {
        heardNs = OptionalLong.of(control.time().nowNs());
        answeredNs = answeredNs.isPresent() ? answeredNs : heardNs;
        arm(Math.clamp(response.getHeartbeatMs(), 100L, 3_600_000L) * HEARTBEATS_MISSED_MAX);
        onResponse(response);
      }
    }

    @Override
    public void onError(Throwable error) {
      fail(channel.problem(Status.fromThrowable(error)));
    }

    @Override
    public void onCompleted() {
      fail(new UpstreamProblem(Kind.REGISTRY_FAILED, channel.server() + ": the Watch ended"));
    }
  }
}
