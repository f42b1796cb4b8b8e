package dev.waymark.net.lane;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.Limits;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.Owner;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneHost;
import dev.waymark.engine.lane.LanePool;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl.Push;
import io.netty.buffer.ByteBuf;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A lane without a shard: the engine's {@link Lane} on its real transport, without connections.
 * Thread-safe, unless noted.
 */
final class TestLane implements LaneHost, LanePool {
  private static final PoolOptions POOL =
      new PoolOptions(
          "pool",
          PoolOptions.Acknowledge.AUTO,
          Duration.ofSeconds(5).toNanos(),
          30,
          PoolOptions.Moving.DEFAULTS);

  private static final LaneConnector.Attempts NO_ATTEMPTS =
      new LaneConnector.Attempts() {
        @Override
        public void onAccepted(String pool, String upstream) {}

        @Override
        public void onRefused(String pool, String upstream, UpstreamProblem problem) {}
      };

  private final TestLoop loop;
  private final InetSocketAddress address;
  private final ChannelGroup channels;
  private final Counters counters = new Counters();
  private final CompletableFuture<String> end = new CompletableFuture<>();
  private final List<String> causes = new CopyOnWriteArrayList<>();
  private final List<Throwable> bugs = new CopyOnWriteArrayList<>();
  private volatile @Nullable Lane lane;
  private volatile boolean isOpen;
  private @Nullable GrpcLane transport;

  private TestLane(TestLoop loop, int port) {
    this.loop = loop;
    this.address = new InetSocketAddress("127.0.0.1", port);
    this.channels = new DefaultChannelGroup(loop.eventLoop());
  }

  /** Opens a lane to a loopback port. */
  static TestLane open(TestLoop loop, int port) {
    var opened = new TestLane(loop, port);
    loop.eventLoop().execute(opened::start);
    return opened;
  }

  private void start() {
    var view = new UpstreamView("127.0.0.1:" + address.getPort(), true, "", 1, Map.of());
    lane = new Lane(nowNs(), this, this, view, counters, false);
  }

  @Override
  public LaneTransport connect(Lane connecting) {
    var settings =
        new LaneConnector.Settings(
            loop.dialler(),
            "waymark/test",
            limits(),
            this::nowNs,
            bugs::add,
            NO_ATTEMPTS,
            _ -> null);
    var created = new GrpcLane(connecting, address, settings);
    transport = created;
    loop.eventLoop().execute(() -> created.start(Duration.ZERO, channels));
    return created;
  }

  private long nowNs() {
    return loop.eventLoop().ticker().nanoTime();
  }

  // --- what became of it ---

  /** Waits until the lane has broken, and returns why. */
  String awaitEnd(Duration timeout) throws Exception {
    return end.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Why the lane broke: one text, or more if it was told more than once. */
  List<String> causes() {
    return causes;
  }

  /** Defects of the bridge that showed. */
  List<Throwable> bugs() {
    return bugs;
  }

  /** Whether the call has begun. */
  boolean isOpen() {
    return isOpen;
  }

  /** How many frames of the upstream have been read. */
  long framesReceived() {
    return counters.total(Counter.FRAMES_RECEIVED);
  }

  boolean isChannelClosed() {
    return lane != null && channels.isEmpty();
  }

  /** Sends a payload as a message of its own. On the loop. */
  void send(ByteBuf owned) {
    if (transport == null) {
      throw new IllegalStateException("not dialled yet");
    }
    transport.data(1, 1, 0, owned, false, BridgeFrame.ABSENT);
    transport.flush();
  }

  /** Whether the transport takes more. On the loop. */
  boolean isWritable() {
    return transport != null && transport.flush();
  }

  /** Ends the call, as the bridge does. On the loop. */
  void cancel() {
    if (transport != null) {
      transport.cancel("test");
    }
  }

  // --- the pool ---

  @Override
  public PoolOptions options() {
    return POOL;
  }

  @Override
  public Hello hello() {
    return new Hello(1, "node", "1.0", "pool", 0, 1);
  }

  @Override
  public void onLaneOpen(long nowNs, Lane opened) {
    isOpen = true;
    opened.flush();
  }

  @Override
  public void onLaneBroken(
      long nowNs, Lane broken, String cause, boolean wasOpen, int connections) {
    causes.add(cause);
    end.complete(cause);
  }

  @Override
  public void onLaneDecided(long nowNs) {}

  @Override
  public void onLaneWritable(Lane writable) {}

  @Override
  public void onLaneFull(Lane full) {}

  @Override
  public void onLaneDraining(long nowNs, Lane draining) {}

  @Override
  public void onLaneBreaking(long nowNs, Lane breaking, boolean wasOpen) {}

  @Override
  public void onAttached(Owner.Attached connection, Lane to) {}

  @Override
  public void onDetached(Owner.Attached connection, Lane from, boolean hasLeftover) {}

  @Override
  public void reportOutlier(Lane reported, OutlierSignal why) {}

  // --- the shard ---

  @Override
  public Limits limits() {
    return Limits.DEFAULTS;
  }

  @Override
  public long elapsedNs(long nowNs) {
    return nowNs;
  }

  @Override
  public void flushAtTurnEnd(Lane flushed) {
    loop.eventLoop().execute(flushed::flush);
  }

  @Override
  public @Nullable Connection connection(long sequence) {
    return null;
  }

  @Override
  public boolean hasIssued(long sequence) {
    return false;
  }

  @Override
  public void forEachOn(Lane on, Consumer<Connection> action) {}

  @Override
  public void push(long nowNs, String pool, Push push, Consumer<PushResult> reply) {}

  @Override
  public void announce(Lane to, boolean isWanted) {}

  @Override
  public void onAnnounceable() {}
}
