package dev.waymark.bridge;

import dev.waymark.config.ListenerConfig;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.engine.shard.ShardIdentity;
import dev.waymark.net.NettyTransport;
import dev.waymark.protocol.Mark;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.IntSupplier;

/**
 * All shards of a bridge and the event loops they run on. {@link #create}, {@link #endConnections}
 * and {@link #endLoops} are called from one thread, none of the loops; the rest is thread-safe once
 * the shards have been created.
 */
final class BridgeShards {
  /** What is left of a connection's last bytes after the drain may take this long. */
  static final long STOP_TIMEOUT_MS = 1_000;

  private static final long STOP_CHECK_MS = 5;

  private final MultiThreadIoEventLoopGroup loops;
  private final Map<EventLoop, BridgeShard> shards = new LinkedHashMap<>();

  /**
   * @param count 0: half the cores, as the kernel's share of the work is the larger one
   *     (docs/decisions/0013)
   */
  BridgeShards(int count, NettyTransport transport) {
    int loopCount = count > 0 ? count : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    this.loops =
        new MultiThreadIoEventLoopGroup(
            loopCount, new DefaultThreadFactory("shard"), transport.ioHandlers());
  }

  /**
   * Gives every loop its shard, under one instance that is new.
   *
   * @param shardOn makes the shard of this identity on this loop
   */
  void create(String node, BiFunction<EventLoop, ShardIdentity, BridgeShard> shardOn) {
    long instance = Mark.instance(Clock.nowUnixMs(), new SecureRandom().nextLong());
    int count = loops.executorCount();
    for (int index = 0; index < count; index++) {
      EventLoop loop = (EventLoop) loops.next();
      ShardIdentity identity = new ShardIdentity(index, count, instance, node, Version.current());
      shards.put(loop, shardOn.apply(loop, identity));
    }
    shards.values().forEach(shard -> shard.join(all()));
  }

  /** Hands over each loop with a name for people. */
  void watch(BiConsumer<String, EventLoop> watch) {
    int index = 0;
    for (EventLoop loop : shards.keySet()) {
      watch.accept("shard " + index++, loop);
    }
  }

  void start() {
    shards.values().forEach(BridgeShard::start);
  }

  /** Tells every shard of a pool. */
  void publish(PoolSnapshot snapshot) {
    shards.values().forEach(shard -> shard.publish(snapshot));
  }

  /**
   * Has every shard take over pools and listeners that are new or changed. Blocks until all have.
   */
  void configure(List<PoolSetup> pools, List<ListenerConfig> listeners) {
    askAll(shard -> shard.configure(pools, listeners));
  }

  /** No client comes to these listeners any more. Blocks until every shard knows. */
  void removeListeners(Set<String> listeners) {
    askAll(shard -> shard.removeListeners(listeners));
  }

  /** Whether no shard has this pool any more; those that do not need it give it up. Blocks. */
  boolean removePoolIfUnused(String pool) {
    return askAll(shard -> shard.ask(core -> core.removePoolIfUnused(pool)));
  }

  /** The bridge will stop in so long. Blocks until every shard knows. */
  void drain(long timeoutNs) {
    askAll(shard -> shard.drain(timeoutNs));
  }

  /** Asks all at once; whether all say yes. */
  private boolean askAll(Function<BridgeShard, CompletableFuture<Boolean>> question) {
    List<CompletableFuture<Boolean>> answers = shards.values().stream().map(question).toList();
    return answers.stream().filter(CompletableFuture::join).count() == answers.size();
  }

  /** Closes every connection and lane; what does not end in time is dropped. Blocks. */
  void endConnections() throws InterruptedException {
    askAll(BridgeShard::stop);
    awaitNone(this::connectionCount);
    for (BridgeShard shard : shards.values()) {
      shard.close(STOP_TIMEOUT_MS);
    }
    awaitNone(this::connectionCount);
  }

  /**
   * Ends the threads, once nothing runs on them: a port that could not be bound closes later, with
   * io_uring, and a loop that ends before its channels complains with a stack. Blocks.
   */
  void endLoops() throws InterruptedException {
    awaitNone(this::channelCount);
    loops.shutdownGracefully(0, STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS).await();
  }

  /** The loops, for sockets. */
  MultiThreadIoEventLoopGroup loops() {
    return loops;
  }

  /** The shard of this loop. */
  BridgeShard on(EventLoop loop) {
    BridgeShard shard = shards.get(loop);
    if (shard == null) {
      throw new IllegalStateException("a client on a loop without a shard");
    }
    return shard;
  }

  List<BridgeShard> all() {
    return List.copyOf(shards.values());
  }

  int connectionCount() {
    return shards.values().stream().mapToInt(shard -> shard.connectionCount().join()).sum();
  }

  private int channelCount() {
    int count = 0;
    for (EventExecutor loop : loops) {
      count += loop instanceof SingleThreadEventLoop channels ? channels.registeredChannels() : 0;
    }
    return count;
  }

  private static void awaitNone(IntSupplier count) throws InterruptedException {
    Wait wait = new Wait(TimeUnit.MILLISECONDS.toNanos(STOP_TIMEOUT_MS));
    while (count.getAsInt() > 0 && !wait.isOver()) {
      TimeUnit.MILLISECONDS.sleep(STOP_CHECK_MS);
    }
  }
}
