package dev.waymark.tools.agent;

import dev.waymark.config.AgentService;
import dev.waymark.config.ServiceCheck;
import dev.waymark.registry.Instance;
import dev.waymark.registry.LoadReport;
import dev.waymark.upstreams.control.StandstillCheck;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * One service: tests it at its interval, and knows whether it is healthy. Confined to the agent's
 * loop, except for what {@link #view} and the counters tell.
 */
final class MindedService {
  /** Intervals differ by up to a tenth, so that the tests of many agents spread out. */
  private static final double JITTER = 0.1;

  /** A service whose Watch ends right after it began is not tested again at once. */
  private static final long TEST_AGAIN_MIN_NS = TimeUnit.MILLISECONDS.toNanos(500);

  /** Learns of changes. */
  interface Listener {
    /** The service has become healthy or unhealthy. */
    void onState(MindedService service);

    /** A healthy service has another load. */
    void onLoad(MindedService service);
  }

  /**
   * What is known of a service, for people. Immutable.
   *
   * @param since when it came into this state
   * @param reason why it is not healthy, or why the last test failed; empty if it passed
   * @param loadProblem why its load is not known; empty if it is, or nobody asked for it
   */
  record View(
      HealthCount.State state, Instant since, String reason, LoadReport load, String loadProblem) {}

  private final AgentService config;
  private final Probes probes;
  private final EventLoop loop;
  private final InstantSource wallClock;
  private final Listener listener;
  private final HealthCount health;
  private final Probe probe;
  private final @Nullable OrcaReports reports;
  private final LongAdder passed = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private volatile View view;

  /** Verdicts of tests that are over are ignored. */
  private long tests;

  private boolean isTesting;
  private boolean isClosed;
  private long startedNs;
  private @Nullable ScheduledFuture<?> nextTest;
  private @Nullable ScheduledFuture<?> timeout;

  MindedService(AgentService config, Probes probes, InstantSource wallClock, Listener listener) {
    this.config = config;
    this.probes = probes;
    this.loop = probes.control().eventLoop();
    this.wallClock = wallClock;
    this.listener = listener;
    this.health = new HealthCount(config.rise(), config.fall());
    this.probe = probes.probe(config, new OfWatch());
    this.reports =
        config.load() == AgentService.Load.ORCA
            ? new OrcaReports(
                probes.control(),
                probes.channels(config),
                probes.random(),
                this::onLoad,
                this::onLoadProblem)
            : null;
    this.view =
        new View(HealthCount.State.UNCHECKED, wallClock.instant(), "", LoadReport.UNKNOWN, "");
  }

  /** Tests it now, and from then on at its interval. */
  void start() {
    test();
  }

  /** Ends the tests. */
  void close() {
    isClosed = true;
    tests++;
    cancel(nextTest);
    cancel(timeout);
    probe.close();
    if (reports != null) {
      reports.close();
    }
  }

  private static void cancel(@Nullable ScheduledFuture<?> timer) {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  // --- any thread ---

  AgentService config() {
    return config;
  }

  View view() {
    return view;
  }

  /** How many tests have passed. */
  long passed() {
    return passed.sum();
  }

  /** How many tests have failed. */
  long failed() {
    return failed.sum();
  }

  // --- the loop ---

  boolean isHealthy() {
    return health.state() == HealthCount.State.HEALTHY;
  }

  /** What is registered while it is healthy. */
  Instance instance() {
    return new Instance(
        config.service(),
        config.address(),
        config.weight(),
        config.priority(),
        config.labels(),
        Instance.Health.HEALTHY,
        view.load());
  }

  private void test() {
    long test = ++tests;
    isTesting = true;
    startedNs = probes.control().time().nowNs();
    arm(test, true);
    probe.start(verdict -> {
      if (test == tests && isTesting) {
        onVerdict(verdict);
      }
    });
  }

  private void arm(long test, boolean mayDefer) {
    StandstillCheck standstill = new StandstillCheck(probes.control().time());
    timeout =
        loop.schedule(
            () -> onTimeout(test, mayDefer && standstill.hasStoodStill()),
            config.timeout().toMillis(),
            TimeUnit.MILLISECONDS);
  }

  /**
   * @param isDeferred the agent has stood still, and the answer may be waiting to be read; once
   *     only, for a machine on which every turn is late
   */
  private void onTimeout(long test, boolean isDeferred) {
    if (test != tests || !isTesting) {
      return;
    }
    if (isDeferred) {
      arm(test, false);
      return;
    }
    String why = probe.giveUp();
    String late = "no result within " + config.timeout().toMillis() + " ms";
    onVerdict(Verdict.failed(why.isEmpty() ? late : late + ": " + why));
  }

  private void onVerdict(Verdict verdict) {
    isTesting = false;
    cancel(timeout);
    (verdict.kind() == Verdict.Kind.PASSED ? passed : failed).increment();
    judge(verdict);
    planTest();
  }

  private void judge(Verdict verdict) {
    boolean hasChanged =
        switch (verdict.kind()) {
          case PASSED -> health.onPassed();
          case FAILED -> health.onFailed();
          case NOT_SERVING -> health.onNotServing();
        };
    // Until it has passed often enough, an unhealthy service keeps the reason why it became so.
    boolean isRecovering = !isHealthy() && verdict.kind() == Verdict.Kind.PASSED;
    show(
        hasChanged ? wallClock.instant() : view.since(),
        isRecovering ? view.reason() : verdict.reason());
    if (hasChanged) {
      followLoad();
      listener.onState(this);
    }
  }

  private void show(Instant since, String reason) {
    view = new View(health.state(), since, reason, view.load(), view.loadProblem());
  }

  private void planTest() {
    if (isClosed || config.check() instanceof ServiceCheck.None) {
      return;
    }
    long intervalNs = config.interval().toNanos();
    long jitterNs = (long) (intervalNs * JITTER);
    long jitteredNs = intervalNs + probes.random().nextLong(-jitterNs, jitterNs + 1);
    long elapsedNs = probes.control().time().nowNs() - startedNs;
    nextTest = loop.schedule(this::test, Math.max(0, jitteredNs - elapsedNs), TimeUnit.NANOSECONDS);
  }

  private void followLoad() {
    if (reports == null) {
      return;
    }
    if (isHealthy()) {
      reports.start();
    } else {
      reports.stop();
      view = new View(health.state(), view.since(), view.reason(), LoadReport.UNKNOWN, "");
    }
  }

  private void onLoad(LoadReport load) {
    view = new View(health.state(), view.since(), view.reason(), load, view.loadProblem());
    listener.onLoad(this);
  }

  private void onLoadProblem(String problem) {
    view = new View(health.state(), view.since(), view.reason(), view.load(), problem);
  }

  /** Between tests. */
  private final class OfWatch implements GrpcProbe.Listener {
    @Override
    public void onNotServing(String reason) {
      if (isHealthy()) {
        judge(Verdict.notServing(reason));
      }
    }

    @Override
    public void onLost() {
      boolean isRecent = probes.control().time().nowNs() - startedNs < TEST_AGAIN_MIN_NS;
      if (!isTesting && !isRecent) {
        cancel(nextTest);
        test();
      }
    }
  }
}
