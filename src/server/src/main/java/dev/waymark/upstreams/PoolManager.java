package dev.waymark.upstreams;

import dev.waymark.config.ClusterAccess;
import dev.waymark.config.HealthKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.config.UpstreamTlsKeys;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.net.dial.Pacer;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.PoolReport.Trouble;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import dev.waymark.upstreams.control.Since;
import dev.waymark.upstreams.discovery.Discovery;
import dev.waymark.upstreams.names.DialAddresses;
import dev.waymark.upstreams.names.ResolverFiles;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Discovers the upstreams of one pool, watches their health and publishes a snapshot after every
 * change. {@link PoolState} derives the upstream states.
 *
 * <p>Runs on the control thread. Public methods may be called from any thread; all callbacks are
 * made on the control thread.
 */
public final class PoolManager implements AutoCloseable {
  private static final long PROBLEM_CHECK_S = 10;

  /**
   * The minimum interval between snapshots caused by health or lanes: without it, n upstreams that
   * fail together would cause n snapshots of n views each.
   */
  private static final long PUBLISH_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(5);

  private record Signal(String address, OutlierSignal why) {}

  private final ControlLoop control;
  private final HealthChannels channels;
  private final RandomGenerator random;
  private final Consumer<PoolSnapshot> sink;
  private final PoolEvents events;
  private final PoolState state;
  private final Discovery discovery;
  private final DialAddresses addresses;
  private final Pacer pacer;
  private final ProblemReport discoveryReport = new ProblemReport();
  private final Since<UpstreamState> since = new Since<>();

  /** Why each upstream does not serve, by address. Read by any thread. */
  private final Map<String, UpstreamProblem> problems = new ConcurrentHashMap<>();

  private volatile Optional<UpstreamProblem> discoveryProblem = Optional.empty();

  /** The upstreams that operators drain. */
  private volatile Set<String> drained = Set.of();

  /** Signals not yet handled by the control thread; a set, so that repeated signals queue once. */
  private final Set<Signal> pendingSignals = ConcurrentHashMap.newKeySet();

  private Map<String, Upstream> upstreams = new LinkedHashMap<>();
  private PoolConfig config;
  private List<UpstreamView> published = List.of();
  private @Nullable ScheduledFuture<?> timer;
  private @Nullable ScheduledFuture<?> nextPublish;
  private long lastPublishNs;
  private @Nullable ScheduledFuture<?> problemCheck;
  private long version;
  private boolean isStarted;
  private boolean isClosed;

  /**
   * @param cluster the Kubernetes cluster in which the bridge runs
   * @param random for jitter; used only on the control thread
   * @param sink receives every snapshot; must not block
   */
  public PoolManager(
      PoolConfig config,
      ControlLoop control,
      Optional<ClusterAccess> cluster,
      HealthChannels channels,
      RandomGenerator random,
      Consumer<PoolSnapshot> sink,
      PoolEvents events) {
    this.config = config;
    this.control = control;
    this.channels = channels;
    this.random = random;
    this.sink = sink;
    this.events = events;
    this.state = new PoolState(config, events);
    ResolverFiles files = ResolverFiles.ofSystem();
    this.discovery =
        new Discovery(control, random, files, cluster, this::onDiscovered, this::onDiscoveryFailed);
    this.addresses =
        new DialAddresses(control, files, this::names, () -> events.onNotFound(config.name()));
    this.pacer = new Pacer(control.eventLoop());
  }

  // --- inputs ---

  /**
   * Starts discovery and health Watches. The first snapshot is published immediately, with what is
   * known without DNS. Call only once.
   */
  public void start() {
    control.eventLoop().execute(this::startOnLoop);
  }

  /**
   * Called when a shard reports an outlier signal. If a lane broke or was refused, the pool's name
   * is resolved again at once, at most once a second.
   */
  public void onOutlierSignal(String address, OutlierSignal why) {
    Signal signal = new Signal(address, why);
    if (pendingSignals.add(signal)) {
      control.eventLoop().execute(() -> signalOnLoop(signal));
    }
  }

  /**
   * Called for every lane that an upstream accepts: it is reachable and has the Attach method. If
   * its Watch is in back-off, the Watch is retried at once: Watch and lane back off independently,
   * and a lane carries no connections until the Watch reports SERVING.
   */
  public void onLaneAccepted(String address) {
    if (problems.containsKey(address)) {
      control.eventLoop().execute(() -> onAttach(address, null));
    }
  }

  /** Called for every lane that an upstream refuses because it has no Attach method. */
  public void onLaneRefused(String address, UpstreamProblem problem) {
    control.eventLoop().execute(() -> onAttach(address, problem));
  }

  /**
   * Applies a new configuration of the same pool. Upstreams that stay keep their Watch and their
   * health; if the Watch has to be replaced, they keep their health until the new one answers. A
   * new name leaves the upstreams as they are until it is resolved.
   */
  public void reconfigure(PoolConfig next) {
    if (control.eventLoop().inEventLoop()) {
      reconfigureOnLoop(next);
    } else {
      control.eventLoop().execute(() -> reconfigureOnLoop(next));
    }
  }

  /**
   * Drains an upstream for an operator, or ends that. Completed on the control thread, when the
   * shards have been told.
   */
  public CompletableFuture<OperatorDrain> drain(String address, boolean isDrained) {
    CompletableFuture<OperatorDrain> result = new CompletableFuture<>();
    control
        .eventLoop()
        .execute(() -> {
          OperatorDrain done = state.onOperatorDrain(nowNs(), address, isDrained);
          drained = state.drained();
          if (!isClosed) {
            publishChanges();
          }
          result.complete(done);
        });
    return result;
  }

  /** Stops discovery and Watches; no snapshot follows. Does not stop the control thread. */
  @Override
  public void close() {
    control.eventLoop().execute(this::closeOnLoop);
  }

  // --- outputs ---

  /**
   * Returns where to dial this upstream; empty until its name is resolved, and after it is gone.
   * Thread-safe.
   *
   * @param address as in {@link UpstreamView#address()}
   * @return {@link InetSocketAddress} or {@link java.net.UnixDomainSocketAddress}
   */
  public Optional<SocketAddress> socketAddress(String address) {
    return addresses.of(address);
  }

  /** Why this upstream does not serve; empty if it serves or nothing is known yet. Thread-safe. */
  public Optional<UpstreamProblem> problem(String address) {
    return Optional.ofNullable(problems.get(address));
  }

  /** Whether an operator drains this upstream. Thread-safe. */
  public boolean isDrained(String address) {
    return drained.contains(address);
  }

  /** Why the last attempt to resolve the pool's name failed; empty if it did not. Thread-safe. */
  public Optional<UpstreamProblem> discoveryProblem() {
    return discoveryProblem;
  }

  /** What is known of the pool, for people. Completed on the control thread. */
  public CompletableFuture<PoolReport> report() {
    return CompletableFuture.supplyAsync(this::reportOnLoop, control.eventLoop());
  }

  private PoolReport reportOnLoop() {
    return new PoolReport(
        config,
        nowNs(),
        discovery.report(),
        discoveryReport.trouble(),
        published.stream().map(this::report).toList());
  }

  private PoolReport.Upstream report(UpstreamView view) {
    String address = view.address();
    Upstream upstream = upstreams.get(address);
    return new PoolReport.Upstream(
        view,
        since.of(address),
        upstream == null ? Optional.empty() : upstream.trouble(),
        state.ejection(address));
  }

  // --- transitions ---

  private void startOnLoop() {
    if (isClosed) {
      return;
    }
    isStarted = true;
    problemCheck =
        control
            .eventLoop()
            .scheduleWithFixedDelay(
                () -> upstreams.values().forEach(Upstream::repeatProblem),
                PROBLEM_CHECK_S,
                PROBLEM_CHECK_S,
                TimeUnit.SECONDS);
    discovery.follow(config);
    if (upstreams.isEmpty()) {
      publish(List.of());
    }
  }

  private void signalOnLoop(Signal signal) {
    pendingSignals.remove(signal);
    if (isClosed) {
      return;
    }
    if (signal.why == OutlierSignal.LANE_BROKEN || signal.why == OutlierSignal.LANE_REFUSED) {
      discovery.refreshSoon();
    }
    if (state.onOutlierSignal(nowNs(), signal.address, signal.why)) {
      publishChanges();
    }
  }

  private void reconfigureOnLoop(PoolConfig next) {
    boolean isWatchChanged = !watchSettings(config).equals(watchSettings(next));
    config = next;
    state.reconfigure(nowNs(), next);
    if (!isStarted || isClosed) {
      return;
    }
    if (isWatchChanged) {
      upstreams.values().forEach(Upstream::restartWatch);
    }
    discovery.follow(next);
    publishChanges();
  }

  /** The settings whose change requires a new Watch. */
  private static List<Object> watchSettings(PoolConfig config) {
    List<Object> settings = new ArrayList<>();
    settings.add(config.get(HealthKeys.SERVICE));
    settings.add(config.get(HealthKeys.RETRY_MIN));
    settings.add(config.get(HealthKeys.RETRY_MAX));
    settings.add(config.get(HealthKeys.USER_TIMEOUT));
    UpstreamTlsKeys.all().forEach(key -> settings.add(config.get(key)));
    return settings;
  }

  /** The names in SRV records are absolute, and known to the server that has the records. */
  private DialAddresses.Names names() {
    return config.target() instanceof Target.Srv srv
        ? new DialAddresses.Names(srv.server(), true)
        : new DialAddresses.Names("", false);
  }

  private void onDiscovered(List<Endpoint> endpoints) {
    discoveryReport.clear();
    discoveryProblem = Optional.empty();
    onFound(endpoints);
  }

  private void onDiscoveryFailed(String host, UpstreamProblem problem) {
    events.onNotFound(config.name());
    discoveryProblem = Optional.of(problem);
    long nowNs = nowNs();
    if (discoveryReport.on(nowNs, problem)) {
      long forNs = nowNs - discoveryReport.sinceNs();
      events.onDiscoveryFailing(config.name(), host, problem, forNs);
    }
  }

  private void onAttach(String address, @Nullable UpstreamProblem problem) {
    Upstream upstream = upstreams.get(address);
    if (upstream != null && !isClosed) {
      upstream.onAttach(problem);
      if (problem == null) {
        upstream.watch.retryNow();
      }
    }
  }

  private void onFound(List<Endpoint> endpoints) {
    if (state.endpoints().equals(endpoints)) {
      return;
    }
    Map<String, Upstream> gone = upstreams;
    upstreams = new LinkedHashMap<>();
    for (Endpoint endpoint : endpoints) {
      String address = endpoint.address();
      Upstream kept = gone.remove(address);
      upstreams.put(address, kept != null ? kept : new Upstream(address));
    }
    gone.values().forEach(Upstream::forget);
    gone.values().forEach(upstream -> pacer.later(upstream.watch::close));
    state.onUpstreams(nowNs(), endpoints);
    List<Upstream> added = upstreams.values().stream().filter(u -> !u.isStarted).toList();
    added.forEach(Upstream::prepare);
    publishChanges();
    added.forEach(upstream -> pacer.later(upstream::start));
  }

  /** Like {@link #publishChanges}, but rate-limited: for inputs that many upstreams may cause. */
  private void publishSoon() {
    if (nextPublish != null) {
      return;
    }
    long leftNs = lastPublishNs + PUBLISH_INTERVAL_NS - nowNs();
    if (leftNs <= 0) {
      publishChanges();
    } else {
      nextPublish = control.eventLoop().schedule(this::onPublishDue, leftNs, TimeUnit.NANOSECONDS);
    }
  }

  private void onPublishDue() {
    nextPublish = null;
    if (!isClosed) {
      publishChanges();
    }
  }

  /** Publishes changed views and schedules the next timed change. Called after every input. */
  private void publishChanges() {
    long nowNs = nowNs();
    lastPublishNs = nowNs;
    List<UpstreamView> views = state.views(nowNs);
    if (!views.equals(published)) {
      publish(views);
    }
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
    OptionalLong deadlineNs = state.nextDeadlineNs(nowNs);
    if (deadlineNs.isPresent()) {
      long waitNs = Math.max(0, deadlineNs.getAsLong() - nowNs);
      timer = control.eventLoop().schedule(this::onDeadline, waitNs, TimeUnit.NANOSECONDS);
    }
  }

  private void onDeadline() {
    if (!isClosed) {
      state.onDeadline(nowNs());
      publishChanges();
    }
  }

  private void publish(List<UpstreamView> views) {
    published = views;
    since.update(
        views.stream().collect(Collectors.toMap(UpstreamView::address, UpstreamView::state)),
        nowNs());
    version++;
    sink.accept(new PoolSnapshot(config.name(), version, views));
  }

  private long nowNs() {
    return control.time().nowNs();
  }

  private void closeOnLoop() {
    if (isClosed) {
      return;
    }
    isClosed = true;
    discovery.close();
    if (timer != null) {
      timer.cancel(false);
    }
    if (problemCheck != null) {
      problemCheck.cancel(false);
    }
    upstreams.values().forEach(upstream -> upstream.watch.close());
    addresses.close();
  }

  /** One upstream and its Watch. */
  private final class Upstream implements HealthWatch.Listener, HealthWatch.AddressFinder {
    private final String address;
    private final ProblemReport healthReport = new ProblemReport();
    private final ProblemReport attachReport = new ProblemReport();
    private HealthWatch watch;
    private boolean isStarted;

    Upstream(String address) {
      this.address = address;
      this.watch = newWatch();
    }

    private HealthWatch newWatch() {
      var waits =
          new RetryWaits(
              config.get(HealthKeys.RETRY_MIN), config.get(HealthKeys.RETRY_MAX), random);
      return new HealthWatch(
          control,
          (socket, dial) ->
              channels.open(address, socket, config.get(HealthKeys.USER_TIMEOUT), dial),
          config.get(HealthKeys.SERVICE),
          this,
          waits,
          this);
    }

    /** Replaces the Watch; the last known health holds until the new one answers. */
    void restartWatch() {
      watch.close();
      watch = newWatch();
      watch.start();
    }

    /** Called before the first snapshot with this upstream, so that shards can dial it. */
    void prepare() {
      isStarted = true;
      addresses.add(address);
      events.onUpstreamFound(config.name(), address);
    }

    void start() {
      watch.start();
    }

    /** Removes its address and problem; the pacer closes its Watch later. */
    void forget() {
      addresses.remove(address);
      setProblem(Optional.empty());
      events.onUpstreamGone(config.name(), address);
    }

    @Override
    public void find(Consumer<SocketAddress> onFound, Consumer<UpstreamProblem> onFailed) {
      addresses.find(address, onFound, onFailed);
    }

    @Override
    public void onHealth(UpstreamHealth now) {
      if (upstreams.get(address) != this) {
        return;
      }
      boolean isChange = state.onHealth(nowNs(), address, now);
      if (now.isServing()) {
        healthReport.clear();
      } else if (now == UpstreamHealth.UNREACHABLE) {
        attachReport.clear();
      }
      updateProblem();
      publishSoon();
      if (isChange && now == UpstreamHealth.UNREACHABLE) {
        // Another may have taken its place. Last, as that one may be found at once.
        discovery.refreshSoon();
      }
    }

    @Override
    public void onProblem(UpstreamProblem problem) {
      report(healthReport, problem);
    }

    @Override
    public void onBroken(UpstreamProblem problem) {
      events.onHealthWatchBroken(config.name(), address, problem.text());
      if (problem.kind() == UpstreamProblem.Kind.FLOOD
          && state.onOutlierSignal(nowNs(), address, OutlierSignal.HEALTH_FLOOD)) {
        publishChanges();
      }
    }

    /** Called when a lane is accepted (null), or refused because there is no Attach method. */
    void onAttach(@Nullable UpstreamProblem problem) {
      boolean wasRefused = attachReport.current().isPresent();
      if (problem != null) {
        report(attachReport, withHealth(problem));
      } else {
        attachReport.clear();
        updateProblem();
      }
      if (wasRefused != (problem != null)) {
        state.onAttach(nowNs(), address, problem != null);
        publishSoon();
      }
    }

    private UpstreamProblem withHealth(UpstreamProblem problem) {
      boolean hasNeither = problem.kind() == Kind.NO_ATTACH && state.lacksHealthService(address);
      return hasNeither
          ? new UpstreamProblem(
              problem.kind(), "speaks gRPC, but has no health service and no Attach method")
          : problem;
    }

    private void report(ProblemReport report, UpstreamProblem problem) {
      if (upstreams.get(address) != this) {
        return;
      }
      long nowNs = nowNs();
      boolean isExpected = state.isExpectedDown(address);
      boolean isDue = isExpected ? report.onExpected(nowNs, problem) : report.on(nowNs, problem);
      updateProblem();
      if (isDue) {
        events.onUpstreamNotServing(config.name(), address, problem, nowNs - report.sinceNs());
      }
    }

    void repeatProblem() {
      Optional.ofNullable(problems.get(address))
          .ifPresent(problem -> {
            boolean isHealthProblem = healthReport.current().isPresent();
            report(isHealthProblem ? healthReport : attachReport, problem);
          });
    }

    /** Why it does not serve, as in {@link #updateProblem}, and since when. */
    Optional<Trouble> trouble() {
      return healthReport.trouble().or(attachReport::trouble);
    }

    /** A health problem takes precedence: without health, nothing is known about lanes. */
    private void updateProblem() {
      setProblem(healthReport.current().or(attachReport::current));
    }

    private void setProblem(Optional<UpstreamProblem> problem) {
      UpstreamProblem before =
          problem.isPresent() ? problems.put(address, problem.get()) : problems.remove(address);
      Kind from = before == null ? null : before.kind();
      Kind to = problem.map(UpstreamProblem::kind).orElse(null);
      if (from != to) {
        events.onProblemChanged(config.name(), address, from, to);
      }
    }
  }
}
