package dev.waymark.upstreams;

import static org.awaitility.Awaitility.await;

import dev.waymark.config.ClusterAccess;
import dev.waymark.config.PoolConfig;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.upstreams.control.ControlLoop;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A started pool on its own control thread, with a record of its snapshots and events. */
final class RecordedPool implements AutoCloseable {
  final List<PoolSnapshot> snapshots = new CopyOnWriteArrayList<>();
  private final RecordedEvents recorder = new RecordedEvents();
  final List<String> events = recorder.events;
  final List<String> problems = recorder.problems;

  /** The user timeouts of the channels opened for Watches. */
  final List<Duration> userTimeouts = new CopyOnWriteArrayList<>();

  final PoolManager manager;
  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  RecordedPool(Consumer<Fixtures> options) {
    this(options, Optional.empty());
  }

  /** A pool in a bridge that runs in this Kubernetes cluster. */
  RecordedPool(Consumer<Fixtures> options, Optional<ClusterAccess> cluster) {
    this(Fixtures.pool(options), cluster);
  }

  RecordedPool(PoolConfig config, Optional<ClusterAccess> cluster) {
    EventLoop loop = group.next();
    ControlLoop control = ControlLoop.nio(loop, new TickerTime(loop));
    HealthChannels channels = new NettyHealthChannels(control, () -> null);
    manager =
        new PoolManager(
            config,
            control,
            cluster,
            (upstream, address, userTimeout, dial) -> {
              userTimeouts.add(userTimeout);
              return channels.open(upstream, address, userTimeout, dial);
            },
            new SplittableRandom(1),
            snapshots::add,
            recorder);
    manager.start();
  }

  /** Returns the address and health of every upstream in the last snapshot. */
  List<String> healths() {
    return views().stream()
        .map(u -> u.address() + " " + u.health() + (u.isServing() ? " +" : " -"))
        .toList();
  }

  /** Returns the address and state of every upstream in the last snapshot. */
  List<String> states() {
    return views().stream().map(u -> u.address() + " " + u.state()).toList();
  }

  void awaitStates(String... states) {
    await()
        .atMost(Duration.ofSeconds(10))
        .pollInterval(Duration.ofMillis(5))
        .until(this::states, List.of(states)::equals);
  }

  List<String> addresses() {
    return views().stream().map(UpstreamView::address).toList();
  }

  List<UpstreamView> views() {
    return snapshots.isEmpty() ? List.of() : snapshots.getLast().upstreams();
  }

  void awaitHealths(String... healths) {
    await()
        .atMost(Duration.ofSeconds(10))
        .pollInterval(Duration.ofMillis(5))
        .until(this::healths, List.of(healths)::equals);
  }

  void awaitAddresses(String... addresses) {
    await()
        .atMost(Duration.ofSeconds(10))
        .pollInterval(Duration.ofMillis(5))
        .until(this::addresses, List.of(addresses)::equals);
  }

  void awaitEvent(String start) {
    await()
        .atMost(Duration.ofSeconds(10))
        .pollInterval(Duration.ofMillis(5))
        .until(() -> events.stream().anyMatch(event -> event.startsWith(start)));
  }

  @Override
  public void close() {
    manager.close();
    group.shutdownGracefully(50, 5_000, TimeUnit.MILLISECONDS).syncUninterruptibly();
  }
}
