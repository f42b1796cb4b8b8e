package dev.waymark.bridge;

import dev.waymark.config.ListenerConfig;
import dev.waymark.engine.base.LoopClock;
import dev.waymark.engine.base.LoopTime;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneStatus;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.engine.shard.Shard;
import dev.waymark.engine.shard.ShardEnvironment;
import dev.waymark.engine.stream.ClientSocket;
import dev.waymark.net.lane.LaneConnector;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl.Push;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Runs a shard on its event loop: provides it with turns, time and lanes, and delivers what other
 * threads send it. Comments below say which thread may call which methods.
 */
final class BridgeShard implements ShardEnvironment {
  private final EventLoop loop;
  private final LoopWatch time;
  private final LaneConnector connector;
  private final BridgePools pools;
  private final BridgePorts ports;
  private final Consumer<Throwable> bugs;
  private final Shard shard;
  private final Map<String, PoolSnapshot> snapshotMailbox = new ConcurrentHashMap<>();
  private final PushMailbox pushMailbox;
  private List<BridgeShard> peers = List.of();
  private final AtomicBoolean isAskedToFree = new AtomicBoolean();
  private final Map<String, ListenerConfig> listeners = new HashMap<>();
  private @Nullable ScheduledFuture<?> timer;
  private long timerNs;
  private long timerDueNs;

  /**
   * @param factory creates the shard to run
   */
  BridgeShard(
      EventLoop loop,
      LoopWatch time,
      LaneConnector connector,
      BridgePools pools,
      BridgePorts ports,
      Consumer<Throwable> bugs,
      Function<ShardEnvironment, Shard> factory) {
    this.loop = loop;
    this.time = time;
    this.connector = connector;
    this.pools = pools;
    this.ports = ports;
    this.bugs = bugs;
    this.pushMailbox = new PushMailbox(() -> loop.execute(this::takePushes));
    this.shard = factory.apply(this);
    time.onStandstill(shard::onStandstill);
  }

  /** Sets all shards of the bridge, by index. Call before {@link #start}. */
  void setPeers(List<BridgeShard> shardsByIndex) {
    peers = shardsByIndex;
  }

  // --- any thread ---

  void start() {
    loop.execute(() -> {
      time.start();
      armTimer();
    });
  }

  /**
   * Hands over a snapshot. Only the newest snapshot of each pool waits to be taken, so the mailbox
   * holds at most one per pool.
   */
  void publish(PoolSnapshot snapshot) {
    if (snapshotMailbox.put(snapshot.pool(), snapshot) == null) {
      loop.execute(() -> guarded(() -> takeSnapshot(snapshot.pool())));
    }
  }

  /** Replaces the lanes to a pool, because its TLS has changed. */
  void renewLanes(String pool) {
    loop.execute(() -> connector.renew(pool));
  }

  /** Adds or changes pools and listeners. */
  CompletableFuture<Boolean> configure(
      List<PoolSetup> setups, List<ListenerConfig> listenerConfigs) {
    return ask(engine -> {
      engine.onConfigured(
          time.nowNs(), setups, listenerConfigs.stream().map(ListenerConfig::options).toList());
      listenerConfigs.forEach(config -> listeners.put(config.name(), config));
      return true;
    });
  }

  /** Removes listeners that have no clients and get none any more. */
  CompletableFuture<Boolean> removeListeners(Set<String> names) {
    return ask(engine -> {
      names.forEach(engine::onListenerRemoved);
      listeners.keySet().removeAll(names);
      return true;
    });
  }

  /** Starts the drain: the bridge will stop after this time. */
  CompletableFuture<Boolean> drain(long timeoutNs) {
    return ask(engine -> {
      engine.onDrain(time.nowNs(), timeoutNs);
      return true;
    });
  }

  /** Closes a connection; completes with whether there is one. */
  CompletableFuture<Boolean> closeConnection(Mark mark, boolean isReset) {
    return ask(engine -> engine.onOperatorClose(time.nowNs(), mark, isReset));
  }

  /** Ends every connection and lane. */
  CompletableFuture<Boolean> stop() {
    return ask(engine -> {
      engine.stop(time.nowNs());
      return true;
    });
  }

  /** Applies a function to the shard, on the shard's thread. */
  <T> CompletableFuture<T> ask(Function<Shard, T> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    loop.execute(() -> {
      try {
        answer.complete(question.apply(shard));
      } catch (RuntimeException | Error bug) {
        bugs.accept(bug);
        answer.completeExceptionally(bug);
      }
    });
    return answer;
  }

  CompletableFuture<List<LaneStatus>> lanes() {
    return ask(Shard::lanes);
  }

  CompletableFuture<Integer> connectionCount() {
    return ask(Shard::connectionCount);
  }

  /** Ends what remains after {@link Shard#stop}: lingering client sockets, and channels. Blocks. */
  void close(long timeoutMs) throws InterruptedException {
    ask(
            engine -> {
              engine.abandon();
              return true;
            })
        .join();
    connector.close(timeoutMs);
  }

  // --- the shard's thread ---

  LoopTime time() {
    return time;
  }

  ListenerConfig listener(String name) {
    ListenerConfig config = listeners.get(name);
    if (config == null) {
      throw new IllegalStateException("no listener " + name);
    }
    return config;
  }

  Connection onAccepted(String listener, ClientSocket socket) {
    return shard.onAccepted(time.nowNs(), Clock.nowUnixMs(), listener, socket);
  }

  private void takeSnapshot(String pool) {
    PoolSnapshot snapshot = snapshotMailbox.remove(pool);
    if (snapshot != null) {
      shard.onPool(time.nowNs(), snapshot);
    }
  }

  private void takePushes() {
    pushMailbox.take(pending ->
        guarded(() -> shard.onPush(time.nowNs(), pending.pool(), pending.push(), pending.reply())));
  }

  @Override
  public boolean forwardPush(int index, String pool, Push push, Consumer<PushResult> reply) {
    Consumer<PushResult> replyHere = result -> answer(reply, result);
    return peers.get(index).pushMailbox.offer(new PushMailbox.PendingPush(pool, push, replyHere));
  }

  /** Called on the other shard's thread. */
  private void answer(Consumer<PushResult> reply, PushResult result) {
    if (!loop.isShuttingDown()) {
      loop.execute(() -> guarded(() -> reply.accept(result)));
    }
  }

  @Override
  public void requestTurnEnd() {
    loop.execute(() -> guarded(() -> shard.onTurnEnd(time.nowNs())));
  }

  @Override
  public void requestDeadline(long deadlineNs) {
    if (timer != null && deadlineNs - timerNs < 0) {
      timer.cancel(false);
      armTimer();
    }
  }

  private void armTimer() {
    timerNs = shard.nextDeadlineNs();
    schedule(Math.max(0, timerNs - time.nowNs()));
  }

  private void schedule(long waitNs) {
    timerDueNs = Clock.nowNs() + waitNs;
    timer = loop.schedule(this::onTimer, waitNs, TimeUnit.NANOSECONDS);
  }

  private void onTimer() {
    time.onTimer(timerDueNs);
    long nowNs = time.nowNs();
    if (time.isDeferringDeadlines()) {
      // After a standstill, read what peers sent meanwhile before any of their deadlines expire.
      schedule(LoopClock.TICK_NS);
      return;
    }
    try {
      guarded(() -> shard.onDeadline(nowNs));
    } finally {
      armTimer();
    }
  }

  @Override
  public LaneTransport connect(Lane lane) {
    SocketAddress address =
        pools
            .address(lane.poolName(), lane.upstream().address())
            // Gone since the snapshot: port 0 cannot be dialled, so the lane breaks like any other.
            .orElseGet(() -> new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    return connector.connect(lane, address, pools.userTimeout(lane.poolName()));
  }

  @Override
  public void askOthersToFree() {
    peers.stream().filter(peer -> peer != this).forEach(BridgeShard::askToFree);
  }

  /** Called on another shard's thread. */
  private void askToFree() {
    if (!loop.isShuttingDown() && isAskedToFree.compareAndSet(false, true)) {
      loop.execute(() -> {
        isAskedToFree.set(false);
        guarded(() -> shard.onMemoryAsked(time.nowNs()));
      });
    }
  }

  @Override
  public void pauseAccepting() {
    ports.pauseForMemory();
  }

  @Override
  public void resumeAccepting() {
    ports.resumeForMemory();
  }

  /** Runs a step so that a bug in it does not end the loop's turn for all others. */
  private void guarded(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException | Error bug) {
      bugs.accept(bug);
    }
  }
}
