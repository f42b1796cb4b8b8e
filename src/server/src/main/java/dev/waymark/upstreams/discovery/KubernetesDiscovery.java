package dev.waymark.upstreams.discovery;

import dev.waymark.config.ClusterAccess;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import dev.waymark.upstreams.control.Since;
import dev.waymark.upstreams.discovery.EndpointSlice.Member;
import dev.waymark.upstreams.discovery.SourceReport.Standing;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Lists the EndpointSlices of a Kubernetes service and watches them from there. A watch that ends
 * or breaks off is resumed where it was; if that fails, or the API server has forgotten that place,
 * the slices are listed again. Failures are retried with growing waits, and leave the upstreams as
 * they are; an empty list is believed, because it comes from the API server itself.
 *
 * <p>Confined to the control thread. Each request blocks a virtual thread of its own, which hands
 * over what it reads; there is one at a time.
 */
final class KubernetesDiscovery implements DiscoverySource {
  private static final Duration RETRY_MIN = Duration.ofMillis(250);
  private static final Duration RETRY_MAX = Duration.ofSeconds(30);

  /** When a page of the list must be complete. */
  private static final long LIST_TIMEOUT_MS = 30_000;

  /** When a watch must have begun. */
  private static final long OPEN_TIMEOUT_MS = 10_000;

  /**
   * How long a watch lasts: random, so that those of a fleet do not end together, and short, as
   * only its end shows that a connection is dead on which nothing happens.
   */
  private static final int WATCH_MIN_S = 60;

  private static final int WATCH_MAX_S = 120;

  /** How much later than asked for a server may end a watch. */
  private static final int WATCH_GRACE_S = 10;

  /** A watch that ends sooner is resumed after a wait. */
  private static final long WATCH_SHORT_MS = 1_000;

  /** Changes within this time are told together: a rollout makes many. */
  private static final long TELL_MS = 50;

  private static final int PAGES_MAX = 1_000;

  private static final UpstreamProblem TOO_LARGE =
      new UpstreamProblem(
          Kind.KUBERNETES_FAILED,
          "the service has more than " + EndpointSlices.ENDPOINTS_MAX + " endpoints");

  /** A request, which blocks; returns what to do with its answer on the control thread. */
  private interface Request {
    Runnable send(ApiClient api) throws ApiException;
  }

  /** What the callbacks were last told. */
  private record Told(List<Endpoint> upstreams, Optional<UpstreamProblem> problem) {}

  private final Target.Kubernetes target;
  private final Optional<ClusterAccess> cluster;
  private final ControlLoop control;
  private final RandomGenerator random;
  private final RetryWaits waits;
  private final Consumer<List<Endpoint>> onFound;
  private final Consumer<UpstreamProblem> onFailed;

  /** Replaced after a failure, so that all files are read anew, and late answers are ignored. */
  private ApiClient client;

  private EndpointSlices slices = new EndpointSlices();

  /** The resource version that {@link #slices} has; empty if they must be listed. */
  private String version = "";

  /** Empty if the last request failed. */
  private Optional<Told> told = Optional.empty();

  private final Since<Standing> since = new Since<>();
  private OptionalLong connectedNs = OptionalLong.empty();
  private OptionalLong heardNs = OptionalLong.empty();
  private long requestNs;
  private @Nullable ScheduledFuture<?> deadline;
  private @Nullable ScheduledFuture<?> nextRequest;
  private @Nullable ScheduledFuture<?> nextTell;
  private boolean isClosed;

  /**
   * @param cluster in which the bridge runs
   * @param random for jitter
   * @param onFound receives all upstreams, after every change
   * @param onFailed receives why they cannot be found, or why there are none
   */
  KubernetesDiscovery(
      Target.Kubernetes target,
      Optional<ClusterAccess> cluster,
      ControlLoop control,
      RandomGenerator random,
      Consumer<List<Endpoint>> onFound,
      Consumer<UpstreamProblem> onFailed) {
    this.target = target;
    this.cluster = cluster;
    this.control = control;
    this.random = random;
    this.waits = new RetryWaits(RETRY_MIN, RETRY_MAX, random);
    this.onFound = onFound;
    this.onFailed = onFailed;
    this.client = new ApiClient(target, cluster);
  }

  @Override
  public void start() {
    list();
  }

  @Override
  public void close() {
    isClosed = true;
    cancel(deadline);
    cancel(nextRequest);
    cancel(nextTell);
    client.close();
  }

  private static void cancel(@Nullable ScheduledFuture<?> timer) {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  // --- list ---

  private void list() {
    page("", 1, new EndpointSlices());
  }

  private void page(String from, int number, EndpointSlices listed) {
    send(
        LIST_TIMEOUT_MS,
        api -> {
          SlicePage page = api.list(from);
          return () -> onPage(page, number, listed);
        });
  }

  private void onPage(SlicePage page, int number, EndpointSlices listed) {
    heard();
    page.slices().forEach(listed::put);
    if (listed.isTooLarge() || number == PAGES_MAX) {
      fail(TOO_LARGE);
    } else if (!page.next().isEmpty()) {
      page(page.next(), number + 1, listed);
    } else {
      slices = listed;
      version = page.version();
      tell();
      watch();
    }
  }

  // --- watch ---

  private void watch() {
    String from = version;
    int seconds = random.nextInt(WATCH_MIN_S, WATCH_MAX_S + 1);
    send(
        OPEN_TIMEOUT_MS,
        api -> {
          try (ApiClient.Watch watch = api.watch(from, seconds)) {
            handOver(api, () -> onOpen(seconds));
            for (var next = watch.next(); next.isPresent(); next = watch.next()) {
              WatchEvent event = next.get();
              handOver(api, () -> onEvent(event));
            }
          }
          return this::onEnd;
        });
  }

  private void onOpen(int seconds) {
    heard();
    cancel(deadline);
    deadline =
        control
            .eventLoop()
            .schedule(this::onOverdue, (long) seconds + WATCH_GRACE_S, TimeUnit.SECONDS);
  }

  private void onEvent(WatchEvent event) {
    heard();
    switch (event) {
      case WatchEvent.Put(String _, EndpointSlice slice) -> slices.put(slice);
      case WatchEvent.Deleted(String _, String name) -> slices.remove(name);
      case WatchEvent.Bookmark _ -> {}
    }
    version = event.version();
    if (slices.isTooLarge()) {
      fail(TOO_LARGE);
    } else if (!(event instanceof WatchEvent.Bookmark) && nextTell == null) {
      nextTell = control.eventLoop().schedule(this::tell, TELL_MS, TimeUnit.MILLISECONDS);
    }
  }

  /** The server does not end the watch: the connection may be dead. */
  private void onOverdue() {
    renewClient();
    onEnd();
  }

  /**
   * After a watch, or when the server has forgotten a version: goes on at once, but not too often.
   */
  private void onEnd() {
    long lastedMs = TimeUnit.NANOSECONDS.toMillis(control.time().nowNs() - requestNs);
    waits.resetAfter(lastedMs);
    goOn(lastedMs >= WATCH_SHORT_MS ? 0 : waits.nextMs());
  }

  private void goOn(long waitMs) {
    cancel(deadline);
    nextRequest =
        control
            .eventLoop()
            .schedule(version.isEmpty() ? this::list : this::watch, waitMs, TimeUnit.MILLISECONDS);
  }

  private void heard() {
    heardNs = OptionalLong.of(control.time().nowNs());
    connectedNs = connectedNs.isPresent() ? connectedNs : heardNs;
  }

  // --- outputs ---

  @Override
  public Optional<SourceReport> report() {
    Optional<SourceReport.Server> server =
        connectedNs.isPresent()
            ? Optional.of(new SourceReport.Server(client.server(), connectedNs.getAsLong()))
            : Optional.empty();
    List<SourceReport.Entry> entries =
        slices.members().stream()
            .map(member ->
                new SourceReport.Entry(
                    member.endpoint(),
                    standing(member),
                    withheld(member),
                    since.of(member.endpoint().address())))
            .toList();
    return Optional.of(new SourceReport(server, heardNs, version, entries));
  }

  private static Standing standing(Member member) {
    return Standing.of(member.condition().name().toLowerCase(Locale.ROOT).replace('_', ' '));
  }

  private static String withheld(Member member) {
    return switch (member.condition()) {
      case READY -> "";
      case NOT_READY -> "its endpoint is not ready in Kubernetes";
      case TERMINATING -> "its pod terminates";
    };
  }

  private void tell() {
    cancel(nextTell);
    nextTell = null;
    Map<String, Standing> standings = new HashMap<>();
    slices.members().forEach(each -> standings.put(each.endpoint().address(), standing(each)));
    since.update(standings, control.time().nowNs());
    Told now = new Told(slices.upstreams(), slices.problem(target));
    if (!told.equals(Optional.of(now))) {
      told = Optional.of(now);
      onFound.accept(now.upstreams());
      now.problem().ifPresent(onFailed);
    }
  }

  private void fail(UpstreamProblem problem) {
    told = Optional.empty();
    version = "";
    connectedNs = OptionalLong.empty();
    renewClient();
    onFailed.accept(problem);
    goOn(waits.nextMs());
  }

  private void renewClient() {
    client.close();
    client = new ApiClient(target, cluster);
  }

  // --- requests ---

  private void send(long timeoutMs, Request request) {
    ApiClient api = client;
    requestNs = control.time().nowNs();
    deadline =
        control.eventLoop().schedule(() -> onTimeout(timeoutMs), timeoutMs, TimeUnit.MILLISECONDS);
    var _ =
        Thread.ofVirtual()
            .name("kubernetes")
            .start(() -> {
              Runnable next = answer(api, request);
              handOver(
                  api,
                  () -> {
                    cancel(deadline);
                    next.run();
                  });
            });
  }

  private void onTimeout(long timeoutMs) {
    fail(
        new UpstreamProblem(
            Kind.KUBERNETES_FAILED,
            "the API server does not answer within " + timeoutMs / 1_000 + " s"));
  }

  private Runnable answer(ApiClient api, Request request) {
    try {
      return request.send(api);
    } catch (ApiException failure) {
      return switch (failure.end()) {
        case FAILED -> () -> fail(failure.problem());
        case BROKEN -> this::onEnd;
        case EXPIRED ->
            () -> {
              version = "";
              onEnd();
            };
      };
    }
  }

  /**
   * Runs an input on the control thread, unless it is too late for it. Returns afterwards, so that
   * a server cannot send faster than the control thread follows.
   */
  private void handOver(ApiClient api, Runnable input) {
    CountDownLatch done = new CountDownLatch(1);
    try {
      control
          .eventLoop()
          .execute(() -> {
            try {
              if (!isClosed && api == client) {
                input.run();
              }
            } finally {
              done.countDown();
            }
          });
      done.await();
    } catch (RejectedExecutionException ended) {
      // The bridge has stopped.
      api.close();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
