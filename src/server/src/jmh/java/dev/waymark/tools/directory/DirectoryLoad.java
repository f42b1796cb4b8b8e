package dev.waymark.tools.directory;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import dev.waymark.v1.Instance;
import dev.waymark.v1.Load;
import dev.waymark.v1.RegisterRequest;
import dev.waymark.v1.RegisterResponse;
import dev.waymark.v1.RegistryGrpc;
import dev.waymark.v1.WatchRequest;
import dev.waymark.v1.WatchResponse;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.HdrHistogram.ConcurrentHistogram;
import org.jspecify.annotations.Nullable;

/**
 * Loads {@code ./waymark directory}, a process of its own, and prints what it costs: a large table,
 * watchers of all of it, changes, heartbeats. Run by {@code misc/bench/jmh.sh directory}.
 */
final class DirectoryLoad {
  private static final int SERVICES = 5_000;
  private static final int INSTANCES_PER_SERVICE = 20;
  private static final int NODES = 100;
  private static final int WATCHERS = 200;
  private static final int CHANGES_PER_SECOND = 2_000;
  private static final int BATCHES_PER_SECOND = 50;
  private static final int HEARTBEATS_PER_SECOND = 10_000;
  private static final int HEARTBEAT_NODES = 1_000;
  private static final int CHANNELS = 20;
  private static final int TICKS_PER_SECOND = 100;
  private static final int PORT = 20_590;

  private final int seconds;
  private final Process process;
  private final List<ManagedChannel> channels = new ArrayList<>();

  private DirectoryLoad(int seconds) throws IOException {
    this.seconds = seconds;
    this.process =
        new ProcessBuilder(
                "./waymark",
                "directory",
                "--listen=127.0.0.1:" + PORT,
                "--admin=127.0.0.1:" + (PORT + 1),
                "--ttl=60s")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    process.inputReader().readLine();
    for (int i = 0; i < CHANNELS; i++) {
      channels.add(NettyChannelBuilder.forAddress("127.0.0.1", PORT).usePlaintext().build());
    }
  }

  public static void main(String[] args) throws Exception {
    DirectoryLoad load = new DirectoryLoad(args.length > 0 ? Integer.parseInt(args[0]) : 20);
    try {
      load.watch();
      load.heartbeats();
    } finally {
      load.channels.forEach(ManagedChannel::shutdownNow);
      load.process.destroy();
    }
  }

  // --- a large table, watchers, changes ---

  private void watch() throws Exception {
    System.out.printf("empty: RSS %d MB%n", rssMb());
    long began = System.nanoTime();
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      nodes.add(new Node(channel(i), "node-" + i, table(i)));
    }
    for (Node node : nodes) {
      node.registered.await();
    }
    System.out.printf(
        "%,d services with %d instances each, registered by %d nodes in %.1f s: RSS %d MB%n",
        SERVICES, INSTANCES_PER_SERVICE, NODES, secondsSince(began), rssMb());
    began = System.nanoTime();
    double cpu = cpuSeconds();
    List<Watcher> watchers = new ArrayList<>();
    for (int i = 0; i < WATCHERS; i++) {
      watchers.add(new Watcher(channel(i)));
    }
    for (Watcher watcher : watchers) {
      watcher.complete.await();
    }
    System.out.printf(
        "%d watchers of all of it at once: the last has it after %.1f s; %.1f MB each; CPU of the"
            + " directory %.1f s, RSS %d MB%n",
        WATCHERS,
        secondsSince(began),
        watchers.getFirst().bytes.get() / 1e6,
        cpuSeconds() - cpu,
        rssMb());
    change(nodes.getFirst(), watchers);
    nodes.forEach(Node::leave);
    watchers.forEach(watcher -> watcher.isOver = true);
  }

  private void change(Node node, List<Watcher> watchers) {
    AtomicLongArray sentNs = new AtomicLongArray(CHANGES_PER_SECOND * (seconds + 2));
    long base = watchers.getFirst().version.get();
    ConcurrentHistogram delays = new ConcurrentHistogram(TimeUnit.MINUTES.toMicros(1), 3);
    watchers.forEach(watcher -> watcher.measure(base, sentNs, delays));
    long bytes = watchers.stream().mapToLong(watcher -> watcher.bytes.get()).sum();
    double cpu = cpuSeconds();
    long began = System.nanoTime();
    int perBatch = CHANGES_PER_SECOND / BATCHES_PER_SECOND;
    int sent = 0;
    for (int batch = 0; batch < seconds * BATCHES_PER_SECOND; batch++) {
      LockSupport.parkNanos(
          began + batch * TimeUnit.SECONDS.toNanos(1) / BATCHES_PER_SECOND - System.nanoTime());
      RegisterRequest.Builder request = RegisterRequest.newBuilder();
      long now = System.nanoTime();
      for (int i = 0; i < perBatch; i++) {
        sentNs.set(sent, now);
        request.addPut(
            node.instances.get(sent % node.instances.size()).toBuilder()
                .putLabels("change", Integer.toString(sent)));
        sent++;
      }
      node.calls.onNext(request.build());
    }
    long last = base + sent;
    while (watchers.stream().anyMatch(watcher -> watcher.version.get() < last)
        && secondsSince(began) < seconds + 30) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
    double took = secondsSince(began);
    double each =
        (double) (watchers.stream().mapToLong(watcher -> watcher.bytes.get()).sum() - bytes)
            / WATCHERS
            / sent;
    System.out.printf(
        "%,d changes per second for %d s: a change reaches a watcher after %.0f ms (median), %.0f ms"
            + " (p99), %.0f ms (longest); %.0f bytes per change and watcher; CPU of the directory %.2f"
            + " cores; RSS %d MB%n",
        CHANGES_PER_SECOND,
        seconds,
        delays.getValueAtPercentile(50) / 1e3,
        delays.getValueAtPercentile(99) / 1e3,
        delays.getMaxValue() / 1e3,
        each,
        (cpuSeconds() - cpu) / took,
        rssMb());
  }

  private static List<Instance> table(int node) {
    int perNode = SERVICES / NODES;
    return IntStream.range(node * perNode, (node + 1) * perNode)
        .boxed()
        .flatMap(service ->
            IntStream.range(0, INSTANCES_PER_SERVICE).mapToObj(i -> instance(service, i)))
        .toList();
  }

  private static Instance instance(int service, int i) {
    return Instance.newBuilder()
        .setService("service-" + service)
        .setAddress("10." + service / 250 + "." + service % 250 + "." + (i + 1) + ":4770")
        .setWeight(1)
        .putLabels("zone", "eu-1a")
        .setLoad(Load.newBuilder().setUtilisation(0.3))
        .build();
  }

  // --- heartbeats ---

  private void heartbeats() throws Exception {
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < HEARTBEAT_NODES; i++) {
      nodes.add(new Node(channel(i), "beat-" + i, List.of(instance(i, 99))));
    }
    for (Node node : nodes) {
      node.registered.await();
    }
    int perTick = HEARTBEATS_PER_SECOND / TICKS_PER_SECOND;
    beat(nodes, perTick, 5);
    double cpu = cpuSeconds();
    long began = System.nanoTime();
    beat(nodes, perTick, seconds);
    double took = secondsSince(began);
    System.out.printf(
        "%,.0f heartbeats per second from %,d nodes: CPU of the directory %.2f cores%n",
        (double) perTick * TICKS_PER_SECOND * seconds / took,
        HEARTBEAT_NODES,
        (cpuSeconds() - cpu) / took);
  }

  private static void beat(List<Node> nodes, int perTick, int duration) {
    long began = System.nanoTime();
    int next = 0;
    for (int tick = 0; tick < duration * TICKS_PER_SECOND; tick++) {
      LockSupport.parkNanos(
          began + tick * TimeUnit.SECONDS.toNanos(1) / TICKS_PER_SECOND - System.nanoTime());
      for (int i = 0; i < perTick; i++) {
        nodes.get(next++ % nodes.size()).calls.onNext(RegisterRequest.getDefaultInstance());
      }
    }
  }

  // --- clients ---

  private ManagedChannel channel(int i) {
    return channels.get(i % CHANNELS);
  }

  private static final class Node implements StreamObserver<RegisterResponse> {
    final List<Instance> instances;
    final CountDownLatch registered = new CountDownLatch(1);
    final StreamObserver<RegisterRequest> calls;

    Node(ManagedChannel channel, String name, List<Instance> instances) {
      this.instances = instances;
      this.calls = RegistryGrpc.newStub(channel).register(this);
      calls.onNext(RegisterRequest.newBuilder().setNode(name).addAllPut(instances).build());
    }

    void leave() {
      calls.onCompleted();
    }

    @Override
    public void onNext(RegisterResponse response) {
      registered.countDown();
    }

    @Override
    public void onError(Throwable error) {
      if (registered.getCount() > 0) {
        System.err.println("a node was not registered: " + error);
      }
    }

    @Override
    public void onCompleted() {}
  }

  /** Reads of a response just its size, its version and whether more follows. */
  private record Head(int bytes, long version, boolean hasMore) {}

  private static final class Watcher implements StreamObserver<Head> {
    private static final MethodDescriptor<WatchRequest, Head> WATCH =
        RegistryGrpc.getWatchMethod().toBuilder(
                RegistryGrpc.getWatchMethod().getRequestMarshaller(), new Heads())
            .build();

    final CountDownLatch complete = new CountDownLatch(1);
    final AtomicLong bytes = new AtomicLong();
    final AtomicLong version = new AtomicLong();
    volatile boolean isOver;
    private volatile @Nullable AtomicLongArray sentNs;
    private @Nullable ConcurrentHistogram delays;
    private long base;
    private int arrived;

    Watcher(ManagedChannel channel) {
      ClientCalls.asyncServerStreamingCall(
          channel.newCall(WATCH, CallOptions.DEFAULT), WatchRequest.getDefaultInstance(), this);
    }

    void measure(long from, AtomicLongArray sent, ConcurrentHistogram into) {
      base = from;
      delays = into;
      sentNs = sent;
    }

    @Override
    public void onNext(Head head) {
      bytes.addAndGet(head.bytes);
      if (head.hasMore) {
        return;
      }
      AtomicLongArray sent = sentNs;
      long now = System.nanoTime();
      ConcurrentHistogram into = delays;
      while (sent != null
          && into != null
          && arrived < head.version - base
          && arrived < sent.length()) {
        into.recordValue(Math.max(1, (now - sent.get(arrived++)) / 1_000));
      }
      version.set(head.version);
      complete.countDown();
    }

    @Override
    public void onError(Throwable error) {
      if (!isOver) {
        System.err.println("a watcher failed: " + error);
      }
    }

    @Override
    public void onCompleted() {}
  }

  private static final class Heads implements MethodDescriptor.Marshaller<Head> {
    @Override
    public InputStream stream(Head head) {
      throw new UnsupportedOperationException("only read");
    }

    @Override
    public Head parse(InputStream stream) {
      try {
        int size = stream.available();
        CodedInputStream in = CodedInputStream.newInstance(stream);
        long version = 0;
        boolean hasMore = false;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
          int field = WireFormat.getTagFieldNumber(tag);
          if (field == WatchResponse.VERSION_FIELD_NUMBER) {
            version = in.readUInt64();
          } else if (field == WatchResponse.MORE_FIELD_NUMBER) {
            hasMore = in.readBool();
          } else if (field > WatchResponse.MORE_FIELD_NUMBER) {
            break;
          } else {
            in.skipField(tag);
          }
        }
        return new Head(size, version, hasMore);
      } catch (IOException defect) {
        throw new UncheckedIOException(defect);
      }
    }
  }

  // --- figures ---

  private static double secondsSince(long began) {
    return (System.nanoTime() - began) / 1e9;
  }

  private double cpuSeconds() {
    return process.toHandle().info().totalCpuDuration().orElseThrow().toMillis() / 1e3;
  }

  private long rssMb() throws UncheckedIOException {
    try {
      return Files.readAllLines(Path.of("/proc/" + process.pid() + "/status")).stream()
          .filter(line -> line.startsWith("VmRSS"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1_024)
          .findFirst()
          .orElseThrow();
    } catch (IOException gone) {
      throw new UncheckedIOException(gone);
    }
  }
}
