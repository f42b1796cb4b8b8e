package dev.waymark.upstreams;

import dev.waymark.config.HealthKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.net.dial.Pacer;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One pool: finds its upstreams, watches their health and gives out a snapshot whenever anything
 * changed. What follows from what it hears is {@link PoolState}'s.
 *
 * <p>Works on the control thread; the public methods may be called from any thread, and all
 * callbacks come on the control thread.
 */
public final class PoolManager implements AutoCloseable {
  private static final long PROBLEM_CHECK_S = 10;

  /**
   * Health and lanes change the snapshot no more often: where hundreds of upstreams fail, each of
   * them would have all of them looked at.
   */
  private static final long PUBLISH_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(5);

  private record Suspect(String address, OutlierSignal why) {}

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

  /** By address, why an upstream does not serve. Read by any thread. */
  private final Map<String, UpstreamProblem> problems = new ConcurrentHashMap<>();

  private volatile Optional<UpstreamProblem> discoveryProblem = Optional.empty();

  /** Those that wait for the control thread: each once, however often shards say it. */
  private final Set<Suspect> suspects = ConcurrentHashMap.newKeySet();

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
   * @param random for jitter; used on the control thread only
   * @param sink gets every snapshot; must not block
   */
  public PoolManager(
      PoolConfig config,
      ControlLoop control,
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
        new Discovery(control, random, files, this::onDiscovered, this::onDiscoveryFailed);
    this.addresses =
        new DialAddresses(
            NameLookup.of(control, files, ""), () -> events.onNameNotResolved(config.name()));
    this.pacer = new Pacer(control.eventLoop());
  }

  // --- inputs ---

  /**
   * Starts to find and to watch; the first snapshot comes at once, with what is known without
   * asking anybody. Once only.
   */
  public void start() {
    control.eventLoop().execute(this::startOnLoop);
  }

  /**
   * A shard holds something against this upstream. When it is lost, the name is asked again at
   * once, at most once a second.
   */
  public void onOutlierSignal(String address, OutlierSignal why) {
    Suspect suspect = new Suspect(address, why);
    if (suspects.add(suspect)) {
      control.eventLoop().execute(() -> suspectOnLoop(suspect));
    }
  }

  /**
   * An upstream took a lane: it has the Attach method, and is there. Where its Watch was broken and
   * waits, it is asked at once: each has a back-off of its own, and a lane alone serves nobody.
   * Called for every lane.
   */
  public void onLaneTaken(String address) {
    if (problems.containsKey(address)) {
      control.eventLoop().execute(() -> onAttach(address, null));
    }
  }

  /** An upstream refused a lane, since it has no Attach method. Called for every lane. */
  public void onLaneRefused(String address, UpstreamProblem problem) {
    control.eventLoop().execute(() -> onAttach(address, problem));
  }

  /**
   * Another configuration of the same pool. Upstreams that stay keep their Watch and what is known
   * of their health, until another Watch has an answer; all of them stay until a name that is new
   * is resolved.
   */
  public void reconfigure(PoolConfig next) {
    if (control.eventLoop().inEventLoop()) {
      reconfigureOnLoop(next);
    } else {
      control.eventLoop().execute(() -> reconfigureOnLoop(next));
    }
  }

  /** Ends all watching; no snapshot comes afterwards. The control thread goes on. */
  @Override
  public void close() {
    control.eventLoop().execute(this::closeOnLoop);
  }

  // --- outputs ---

  /**
   * Where to dial this upstream; empty as long as its name is not resolved, and when it is gone.
   * Thread-safe.
   *
   * @param address as in {@link UpstreamView#address()}
   * @return {@link InetSocketAddress} or {@link java.net.UnixDomainSocketAddress}
   */
  public Optional<SocketAddress> socketAddress(String address) {
    return addresses.of(address);
  }

  /** Why this upstream does not serve; empty: it serves, or nothing is known yet. Thread-safe. */
  public Optional<UpstreamProblem> problem(String address) {
    return Optional.ofNullable(problems.get(address));
  }

  /** Why the pool's name could not be resolved the last time it was asked for. Thread-safe. */
  public Optional<UpstreamProblem> discoveryProblem() {
    return discoveryProblem;
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
                () -> upstreams.values().forEach(Upstream::tellIfItLasts),
                PROBLEM_CHECK_S,
                PROBLEM_CHECK_S,
                TimeUnit.SECONDS);
    if (config.target() instanceof Target.Dns) {
      publish(List.of());
    }
    discovery.follow(config);
  }

  private void suspectOnLoop(Suspect suspect) {
    suspects.remove(suspect);
    if (isClosed) {
      return;
    }
    if (suspect.why == OutlierSignal.LANE_BROKEN || suspect.why == OutlierSignal.LANE_REFUSED) {
      discovery.askSoon();
    }
    if (state.onOutlierSignal(nowNs(), suspect.address, suspect.why)) {
      publishChanges();
    }
  }

  private void reconfigureOnLoop(PoolConfig next) {
    boolean isWatchedOtherwise = !health(config).equals(health(next));
    config = next;
    state.reconfigure(nowNs(), next);
    if (!isStarted || isClosed) {
      return;
    }
    if (isWatchedOtherwise) {
      upstreams.values().forEach(Upstream::watchAnew);
    }
    discovery.follow(next);
    publishChanges();
  }

  /** What a Watch is made of. */
  private static List<Object> health(PoolConfig config) {
    return List.of(
        config.get(HealthKeys.SERVICE),
        config.get(HealthKeys.RETRY_MIN),
        config.get(HealthKeys.RETRY_MAX),
        config.get(HealthKeys.USER_TIMEOUT));
  }

  private void onDiscovered(List<Endpoint> endpoints) {
    discoveryReport.clear();
    discoveryProblem = Optional.empty();
    onFound(endpoints);
  }

  private void onDiscoveryFailed(String host, UpstreamProblem problem) {
    events.onNameNotResolved(config.name());
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
        upstream.watch.tryNow();
      }
    }
  }

  private void onFound(List<Endpoint> endpoints) {
    if (state.endpoints().equals(endpoints)) {
      return;
    }
    Map<String, Upstream> before = upstreams;
    upstreams = new LinkedHashMap<>();
    for (Endpoint endpoint : endpoints) {
      String address = endpoint.address();
      Upstream kept = before.remove(address);
      upstreams.put(address, kept != null ? kept : new Upstream(address));
    }
    before.values().forEach(Upstream::forget);
    before.values().forEach(upstream -> pacer.later(upstream.watch::close));
    state.onUpstreams(nowNs(), endpoints);
    List<Upstream> fresh = upstreams.values().stream().filter(u -> !u.isStarted).toList();
    fresh.forEach(Upstream::prepare);
    publishChanges();
    fresh.forEach(upstream -> pacer.later(upstream::start));
  }

  /** After an input that may come from each of many upstreams. */
  private void publishSoon() {
    if (nextPublish != null) {
      return;
    }
    long leftNs = lastPublishNs + PUBLISH_INTERVAL_NS - nowNs();
    if (leftNs <= 0) {
      publishChanges();
    } else {
      nextPublish = control.eventLoop().schedule(this::publishNow, leftNs, TimeUnit.NANOSECONDS);
    }
  }

  private void publishNow() {
    nextPublish = null;
    if (!isClosed) {
      publishChanges();
    }
  }

  /**
   * After every input: tells the shards what is another now, and comes back when time alone does.
   */
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

  /** An upstream and its Watch. */
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

    /** What was known of its health holds until the new Watch has an answer. */
    void watchAnew() {
      watch.close();
      watch = newWatch();
      watch.start();
    }

    /** Before the snapshot that shows it: whoever reads it there can dial it. */
    void prepare() {
      isStarted = true;
      addresses.add(address);
      events.onUpstreamFound(config.name(), address);
    }

    void start() {
      watch.start();
    }

    /** Nothing comes of it any more; its Watch is closed a little later. */
    void forget() {
      addresses.remove(address);
      show(Optional.empty());
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
      state.onHealth(nowNs(), address, now);
      if (now.isServing()) {
        healthReport.clear();
      } else if (now == UpstreamHealth.UNREACHABLE) {
        attachReport.clear();
      }
      showProblem();
      publishSoon();
    }

    @Override
    public void onProblem(UpstreamProblem problem) {
      tell(healthReport, problem);
    }

    @Override
    public void onBroken(UpstreamProblem problem) {
      events.onHealthWatchBroken(config.name(), address, problem.text());
      if (problem.kind() == UpstreamProblem.Kind.FLOOD
          && state.onOutlierSignal(nowNs(), address, OutlierSignal.HEALTH_FLOOD)) {
        publishChanges();
      }
    }

    /** Its lanes are taken (null), or refused for want of the method. */
    void onAttach(@Nullable UpstreamProblem problem) {
      boolean wasRefused = attachReport.current().isPresent();
      if (problem != null) {
        tell(attachReport, withHealth(problem));
      } else {
        attachReport.clear();
        showProblem();
      }
      if (wasRefused != (problem != null)) {
        state.onAttach(nowNs(), address, problem != null);
        publishSoon();
      }
    }

    private UpstreamProblem withHealth(UpstreamProblem problem) {
      boolean isNeither = problem.kind() == Kind.NO_ATTACH && state.isWithoutHealth(address);
      return isNeither
          ? new UpstreamProblem(
              problem.kind(), "speaks gRPC, but has no health service and no Attach method")
          : problem;
    }

    private void tell(ProblemReport report, UpstreamProblem problem) {
      if (upstreams.get(address) != this) {
        return;
      }
      long nowNs = nowNs();
      boolean isExpected = state.isExpectedNotToServe(address);
      boolean isDue = isExpected ? report.onExpected(nowNs, problem) : report.on(nowNs, problem);
      showProblem();
      if (isDue) {
        events.onUpstreamNotServing(config.name(), address, problem, nowNs - report.sinceNs());
      }
    }

    void tellIfItLasts() {
      Optional.ofNullable(problems.get(address))
          .ifPresent(shown -> {
            boolean isOfHealth = healthReport.current().isPresent();
            tell(isOfHealth ? healthReport : attachReport, shown);
          });
    }

    /** Where health has a problem, nothing is known of lanes. */
    private void showProblem() {
      show(healthReport.current().or(attachReport::current));
    }

    private void show(Optional<UpstreamProblem> problem) {
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
