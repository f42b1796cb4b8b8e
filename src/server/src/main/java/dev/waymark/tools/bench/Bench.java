package dev.waymark.tools.bench;

import com.sun.management.UnixOperatingSystemMXBean;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * One run, from the first connection to the last. {@link #run} may be called once; the calling
 * thread keeps the time.
 */
public final class Bench {
  private static final long DRAIN_NS = 5_000_000_000L;
  private static final long CLOSE_NS = 2_000_000_000L;
  private static final long POLL_NS = 10_000_000L;
  private static final long SOON_NS = 5_000_000L;
  private static final double SECOND_NS = 1e9;
  private static final int INTERVALS_MAX = 100_000;

  /** File descriptors that the program itself needs. */
  private static final long DESCRIPTORS_RESERVE = 64;

  private final Plan plan;
  private final Sockets sockets;
  private final CountDownLatch stop;
  private final Consumer<String> progress;
  private final Histogram latency = Tally.histogram();
  private final List<Interval> intervals = new ArrayList<>();
  private final List<LoopBuffers> buffers = new ArrayList<>();
  private final @Nullable BenchTls tls;
  private long startNs;
  private long lastTickNs;
  private int ticks;

  /**
   * @param clock monotonic, in nanoseconds
   * @param stop released when the user wants the run to end
   * @param progress receives lines of progress
   */
  public Bench(
      BenchOptions options,
      Sockets sockets,
      LongSupplier clock,
      CountDownLatch stop,
      Consumer<String> progress) {
    Payload payload = new Payload(clock.getAsLong());
    this.plan = new Plan(options, payload, new Sizes(options.sizes()), new Tally(), clock);
    this.sockets = sockets;
    this.tls =
        options.tls() == BenchOptions.Tls.OFF
            ? null
            : new BenchTls(options.tls() == BenchOptions.Tls.RESUMED);
    this.stop = stop;
    this.progress = progress;
  }

  /**
   * Connects, sends requests, measures and closes.
   *
   * @throws BenchException if the file descriptors do not suffice for the connections
   */
  public Result run() throws InterruptedException {
    checkDescriptors();
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(
            plan.options().threads(), new DefaultThreadFactory("bench"), sockets.ioHandlers());
    try {
      return run(workloads(group));
    } finally {
      if (group.shutdownGracefully(0, 1, TimeUnit.SECONDS).await(1, TimeUnit.SECONDS)) {
        buffers.forEach(LoopBuffers::release);
        if (tls != null) {
          tls.close();
        }
      }
    }
  }

  private void checkDescriptors() {
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      long max = system.getMaxFileDescriptorCount();
      long room = max - system.getOpenFileDescriptorCount() - DESCRIPTORS_RESERVE;
      if (plan.options().connections() > room) {
        throw new BenchException(
            String.format(
                Locale.ROOT,
                "--connections: %d, but this process may open %d file descriptors, which leaves %d"
                    + " for connections; raise the limit (ulimit -n), or run several instances with"
                    + " fewer connections each",
                plan.options().connections(),
                max,
                Math.max(0, room)));
      }
    }
  }

  private List<Workload> workloads(MultiThreadIoEventLoopGroup group) {
    BenchOptions options = plan.options();
    List<Workload> workloads = new ArrayList<>();
    int first = 0;
    for (int i = 0; i < options.threads(); i++) {
      EventLoop loop = group.next();
      Dialer dialer = new Dialer(options, sockets, tls, loop);
      buffers.add(dialer.buffers());
      int end = (int) ((long) options.connections() * (i + 1) / options.threads());
      workloads.add(
          options.mode() == BenchOptions.Mode.CONNECT_BURST
              ? new ConnectBurst(plan, loop, dialer, i, options.threads(), end - first)
              : new SteadyLoad(plan, loop, dialer, first, end - first));
      first = end;
    }
    return workloads;
  }

  private Result run(List<Workload> workloads) throws InterruptedException {
    long beginNs = plan.nowNs();
    startNs = beginNs;
    lastTickNs = beginNs;
    CompletableFuture<Void> ready = all(workloads, Workload::connect);
    while (!ready.isDone() && !awaitUntil(plan.nowNs() + POLL_NS)) {
      tickConnecting();
    }
    double connectSeconds = (plan.nowNs() - beginNs) / SECOND_NS;
    Measured measured = measure(workloads);
    awaitDone(all(workloads, Workload::stop), DRAIN_NS);
    long openAtEnd = plan.tally().open();
    awaitDone(all(workloads, Workload::close), CLOSE_NS);
    plan.tally().takeInterval(latency);
    return new Result(
        plan.options(),
        sockets.name(),
        measured.seconds(),
        connectSeconds,
        openAtEnd,
        plan.tally().counts(),
        latency,
        plan.tally().connectTimes(),
        List.copyOf(intervals),
        plan.tally().failures(),
        tls == null ? null : tls.figures(),
        measured.cpuNs(),
        measured.processes());
  }

  /** The measured time and the resources used in it. */
  private record Measured(double seconds, long cpuNs, List<Result.Used> processes) {}

  private Measured measure(List<Workload> workloads) throws InterruptedException {
    BenchOptions options = plan.options();
    boolean isIdle = options.mode() == BenchOptions.Mode.IDLE;
    startNs = plan.nowNs() + SOON_NS;
    lastTickNs = startNs;
    ticks = 0;
    long fromNs = startNs + ns(options.warmupSeconds());
    long toNs = fromNs + ns(options.seconds());
    plan.tally().window(fromNs, isIdle ? Long.MAX_VALUE : toNs);
    if (!isIdle) {
      workloads.forEach(workload -> workload.start(startNs));
    }
    boolean isStopped = tickUntil(fromNs);
    long measuredFromNs = plan.nowNs();
    long ownCpuNs = Processes.ownCpuNs();
    List<Result.Used> before = Processes.of(options.processes());
    isStopped = isStopped || tickUntil(toNs);
    long nowNs = plan.nowNs();
    List<Result.Used> after = Processes.of(options.processes());
    long usedNs = Processes.ownCpuNs() - ownCpuNs;
    if (isIdle) {
      requestOnce(workloads);
    } else if (isStopped) {
      plan.tally().window(Math.min(fromNs, nowNs), nowNs);
    }
    double seconds = isStopped ? (nowNs - measuredFromNs) / SECOND_NS : options.seconds();
    return new Measured(seconds, usedNs, used(before, after));
  }

  /** Sends one request on each idle connection, to see whether it is still alive. */
  private void requestOnce(List<Workload> workloads) throws InterruptedException {
    long nowNs = plan.nowNs();
    workloads.forEach(workload -> workload.start(nowNs));
    double requestSeconds = plan.options().connections() / plan.options().rate();
    awaitUntil(nowNs + ns(requestSeconds) + SOON_NS);
  }

  private static List<Result.Used> used(List<Result.Used> before, List<Result.Used> after) {
    List<Result.Used> used = new ArrayList<>();
    for (int i = 0; i < before.size(); i++) {
      Result.Used end = after.get(i);
      long cpuNs = end.cpuNs() < 0 ? -1 : end.cpuNs() - Math.max(0, before.get(i).cpuNs());
      used.add(new Result.Used(end.pid(), cpuNs, end.rssBytes()));
    }
    return used;
  }

  // --- time ---

  /**
   * Reports progress until the deadline.
   *
   * @return true if the run must end now, because the user wants it or no connection is left
   */
  private boolean tickUntil(long deadlineNs) throws InterruptedException {
    while (deadlineNs - plan.nowNs() > 0) {
      long tickNs = startNs + ns((ticks + 1) * plan.options().intervalMs() / 1e3);
      if (awaitUntil(Math.min(tickNs, deadlineNs)) || hasNoConnections()) {
        return true;
      }
      if (plan.nowNs() - tickNs >= 0) {
        tick();
      }
    }
    return false;
  }

  private boolean hasNoConnections() {
    Tally.Counts counts = plan.tally().counts();
    return plan.options().mode() == BenchOptions.Mode.CONNECT_BURST
        ? counts.connected() == 0 && counts.refused() > plan.options().connections()
        : plan.tally().open() == 0;
  }

  private void tick() {
    ticks++;
    long nowNs = plan.nowNs();
    Histogram last = plan.tally().takeInterval(latency);
    Interval interval =
        new Interval(
            (nowNs - startNs) / SECOND_NS,
            (nowNs - lastTickNs) / SECOND_NS,
            last.getTotalCount(),
            last.getValueAtPercentile(99));
    lastTickNs = nowNs;
    if (intervals.size() < INTERVALS_MAX) {
      intervals.add(interval);
    }
    progress.accept(Report.progress(plan.options(), interval, plan.tally()));
  }

  private void tickConnecting() {
    if (plan.nowNs() - lastTickNs >= ns(plan.options().intervalMs() / 1e3)) {
      lastTickNs = plan.nowNs();
      progress.accept(
          String.format(
              Locale.ROOT,
              "connecting: %d of %d",
              plan.tally().open(),
              plan.options().connections()));
    }
  }

  /** Waits until the deadline. Returns true if the user wants the run to end. */
  private boolean awaitUntil(long deadlineNs) throws InterruptedException {
    return stop.await(Math.max(0, deadlineNs - plan.nowNs()), TimeUnit.NANOSECONDS);
  }

  private void awaitDone(CompletableFuture<Void> done, long timeoutNs) throws InterruptedException {
    CountDownLatch latch = new CountDownLatch(1);
    done.whenComplete((_, _) -> latch.countDown());
    if (!latch.await(timeoutNs, TimeUnit.NANOSECONDS)) {
      progress.accept("not all connections finished in time");
    }
  }

  private static CompletableFuture<Void> all(
      List<Workload> workloads, Function<Workload, CompletableFuture<Void>> step) {
    return CompletableFuture.allOf(workloads.stream().map(step).toArray(CompletableFuture[]::new));
  }

  private static long ns(double seconds) {
    return Math.round(seconds * SECOND_NS);
  }
}
