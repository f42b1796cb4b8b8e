package dev.waymark.e2e.chaos;

import dev.waymark.e2e.Waymark;
import java.io.File;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.regex.MatchResult;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * Opens, uses and closes connections for any length of time, and checks that at the end bridge and
 * stub hold no more memory and descriptors than after the first quarter. A standalone program:
 * misc/chaos/churn.sh.
 */
@CommandLine.Command(name = "churn", mixinStandardHelpOptions = true)
public final class Churn implements Callable<Integer> {
  private static final int SETTLE_MS_MAX = 20_000;
  private static final int DESCRIPTORS_MORE_MAX = 8;

  private static final long HEAP_MORE_BYTES_MAX = 2L << 20;

  /** How many closes a bridge remembers, so that pushes learn the reason, and the heap of each. */
  private static final long REMEMBERED_CLOSES_MAX = 65_536;

  private static final long REMEMBERED_CLOSE_BYTES = 80;

  private static final long DIRECT_MORE_BYTES_MAX = 4L << 20;

  private final PrintStream out;
  private int round;

  @Option(names = "--seconds", defaultValue = "600", description = "default: ${DEFAULT-VALUE}")
  int seconds = 600;

  @Option(
      names = "--clients",
      defaultValue = "50",
      description = "at once; default: ${DEFAULT-VALUE}")
  int clients = 50;

  /** What the processes hold without connections, after a full collection. */
  record Sample(
      long bridgeHeapBytes,
      long bridgeDirectBytes,
      long bridgeDescriptors,
      long stubHeapBytes,
      long stubDescriptors) {}

  Churn(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] args) {
    System.exit(new CommandLine(new Churn(System.out)).execute(args));
  }

  @Override
  public Integer call() throws InterruptedException {
    List<String> errors = run();
    errors.forEach(out::println);
    return errors.isEmpty() ? 0 : 1;
  }

  /** Returns the errors; empty if all went well. */
  List<String> run() throws InterruptedException {
    ChaosUpstream stub = new ChaosUpstream("127.0.0.1:" + Waymark.freePort(), List.of());
    try (stub) {
      stub.start();
      try (ChaosBridge bridge =
          ChaosBridge.start(
              "static:///" + stub.address(),
              "log: {access: false}",
              launch -> launch.leakDetection("simple"))) {
        List<String> errors = new ArrayList<>();
        long closesBefore = churn(bridge, seconds / 4, errors);
        Sample before = sample(bridge, stub);
        long closesAfter = closesBefore + churn(bridge, seconds - seconds / 4, errors);
        Sample after = sample(bridge, stub);
        long rememberedBytes =
            (Math.min(closesAfter, REMEMBERED_CLOSES_MAX)
                    - Math.min(closesBefore, REMEMBERED_CLOSES_MAX))
                * REMEMBERED_CLOSE_BYTES;
        compare(
            "heap of the bridge",
            before,
            after,
            Sample::bridgeHeapBytes,
            HEAP_MORE_BYTES_MAX + rememberedBytes,
            errors);
        compare(
            "direct memory of the bridge",
            before,
            after,
            Sample::bridgeDirectBytes,
            DIRECT_MORE_BYTES_MAX,
            errors);
        compare(
            "descriptors of the bridge",
            before,
            after,
            Sample::bridgeDescriptors,
            DESCRIPTORS_MORE_MAX,
            errors);
        compare(
            "heap of the stub", before, after, Sample::stubHeapBytes, HEAP_MORE_BYTES_MAX, errors);
        compare(
            "descriptors of the stub",
            before,
            after,
            Sample::stubDescriptors,
            DESCRIPTORS_MORE_MAX,
            errors);
        return errors;
      }
    }
  }

  /** Returns the number of connections. */
  private long churn(ChaosBridge bridge, int forSeconds, List<String> errors)
      throws InterruptedException {
    CountDownLatch over = new CountDownLatch(1);
    List<ChurnClient> all = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      ChurnClient client =
          new ChurnClient(round++, i % 2 == 0 ? bridge.rawPort() : bridge.framedPort(), over);
      all.add(client);
      threads.add(Thread.ofVirtual().start(client));
    }
    over.await(forSeconds, TimeUnit.SECONDS);
    over.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    all.stream().map(ChurnClient::error).filter(error -> error != null).forEach(errors::add);
    long connections = all.stream().mapToLong(ChurnClient::connections).sum();
    out.printf("%d s: %d connections%n", forSeconds, connections);
    return connections;
  }

  private Sample sample(ChaosBridge bridge, ChaosUpstream stub) throws InterruptedException {
    awaitQuiet(bridge, stub);
    Sample sample =
        new Sample(
            liveHeapBytes(bridge.process().pid()),
            bridge.admin().metric("waymark_jvm_netty_direct_bytes"),
            descriptors(bridge.process().pid()),
            liveHeapBytes(stub.pid()),
            descriptors(stub.pid()));
    out.println(sample);
    return sample;
  }

  private static void awaitQuiet(ChaosBridge bridge, ChaosUpstream stub)
      throws InterruptedException {
    CountDownLatch clock = new CountDownLatch(1);
    for (int ms = 0; ms < SETTLE_MS_MAX; ms += 100) {
      if (bridge.admin().metric("waymark_connections_open") == 0 && stub.connections() == 0) {
        return;
      }
      clock.await(100, TimeUnit.MILLISECONDS);
    }
    throw new AssertionError(
        "connections remain: " + bridge.admin().get("/connections") + stub.connections());
  }

  /** Returns the bytes that survive a full collection, which the histogram runs. */
  private static long liveHeapBytes(long pid) {
    String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
    MatchResult total =
        Waymark.program(jcmd, Long.toString(pid), "GC.class_histogram")
            .start()
            .awaitLine("^Total +\\d+ +(\\d+)");
    return Long.parseLong(total.group(1));
  }

  /** Returns the number of open descriptors; 0 without /proc. */
  private static long descriptors(long pid) {
    String @Nullable [] open = new File("/proc/" + pid + "/fd").list();
    return open == null ? 0 : open.length;
  }

  private void compare(
      String what,
      Sample before,
      Sample after,
      ToLongFunction<Sample> part,
      long moreMax,
      List<String> errors) {
    long more = part.applyAsLong(after) - part.applyAsLong(before);
    out.printf("%s: %+d%n", what, more);
    if (more > moreMax) {
      errors.add("%s grew by %d, from %s to %s".formatted(what, more, before, after));
    }
  }
}
