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
 * All shards of a bridge and the event loops they run on. Call {@link #create}, {@link
 * #endConnections} and {@link #endLoops} from a single thread that is not an event loop. Everything
 * else is thread-safe once the shards have been created.
 */
final class BridgeShards {
  /** How long the last bytes of connections may take after the drain. */
  static final long STOP_TIMEOUT_MS = 1_000;

  private static final long STOP_CHECK_MS = 5;

  private final MultiThreadIoEventLoopGroup loops;
  private final Map<EventLoop, BridgeShard> shards = new LinkedHashMap<>();

  /**
   * @param count number of shards; 0 means half the cores, because the kernel does more than half
   *     of the work (docs/decisions/0013)
   */
  BridgeShards(int count, NettyTransport transport) {
    int loopCount = count > 0 ? count : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    this.loops =
        new MultiThreadIoEventLoopGroup(
            loopCount, new DefaultThreadFactory("shard"), transport.ioHandlers());
  }

  /**
   * Creates a shard for every loop, all with the same new instance number.
   *
   * @param factory creates the shard of this identity on this loop
   */
  void create(String node, BiFunction<EventLoop, ShardIdentity, BridgeShard> factory) {
    long instance = Mark.instance(Clock.nowUnixMs(), new SecureRandom().nextLong());
    int count = loops.executorCount();
    for (int index = 0; index < count; index++) {
      EventLoop loop = (EventLoop) loops.next();
      ShardIdentity identity = new ShardIdentity(index, count, instance, node, Version.current());
      shards.put(loop, factory.apply(loop, identity));
    }
    shards.values().forEach(shard -> shard.setPeers(all()));
  }

  /** Passes each loop to the consumer, with a display name. */
  void watch(BiConsumer<String, EventLoop> watch) {
    int index = 0;
    for (EventLoop loop : shards.keySet()) {
      watch.accept("shard " + index++, loop);
    }
  }

  void start() {
    shards.values().forEach(BridgeShard::start);
  }

  /** Hands a snapshot to every shard. */
  void publish(PoolSnapshot snapshot) {
    shards.values().forEach(shard -> shard.publish(snapshot));
  }

  /** Replaces the lanes to a pool, because its TLS has changed. */
  void renewLanes(String pool) {
    shards.values().forEach(shard -> shard.renewLanes(pool));
  }

  /** Adds or changes pools and listeners in every shard. Blocks until all have done so. */
  void configure(List<PoolSetup> pools, List<ListenerConfig> listeners) {
    askAll(shard -> shard.configure(pools, listeners));
  }

  /** Removes listeners that accept no clients any more. Blocks until every shard has done so. */
  void removeListeners(Set<String> listeners) {
    askAll(shard -> shard.removeListeners(listeners));
  }

  /**
   * Removes a pool from every shard that does not need it; returns whether none has it now. Blocks.
   */
  boolean removePoolIfUnused(String pool) {
    return askAll(shard -> shard.ask(engine -> engine.removePoolIfUnused(pool)));
  }

  /** Starts the drain: the bridge will stop after this time. Blocks until every shard knows. */
  void drain(long timeoutNs) {
    askAll(shard -> shard.drain(timeoutNs));
  }

  /** Asks all shards in parallel; returns whether all answered true. */
  private boolean askAll(Function<BridgeShard, CompletableFuture<Boolean>> question) {
    List<CompletableFuture<Boolean>> answers = shards.values().stream().map(question).toList();
    return answers.stream().filter(CompletableFuture::join).count() == answers.size();
  }

  /** Closes every connection and lane, and drops those that do not end in time. Blocks. */
  void endConnections() throws InterruptedException {
    askAll(BridgeShard::stop);
    awaitZero(this::connectionCount);
    for (BridgeShard shard : shards.values()) {
      shard.close(STOP_TIMEOUT_MS);
    }
    awaitZero(this::connectionCount);
  }

  /**
   * Ends the threads once they have no channels: with io_uring, a port that could not be bound
   * closes late, and a loop that ends before its channels logs a stack trace. Blocks.
   */
  void endLoops() throws InterruptedException {
    awaitZero(this::channelCount);
    loops.shutdownGracefully(0, STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS).await();
  }

  /** The event loops of all shards, for sockets. */
  MultiThreadIoEventLoopGroup loops() {
    return loops;
  }

  /** The shard that runs on this loop. */
  BridgeShard on(EventLoop loop) {
    BridgeShard shard = shards.get(loop);
    if (shard == null) {
      throw new IllegalStateException("no shard runs on this event loop");
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

  private static void awaitZero(IntSupplier count) throws InterruptedException {
    Wait wait = new Wait(TimeUnit.MILLISECONDS.toNanos(STOP_TIMEOUT_MS));
    while (count.getAsInt() > 0 && !wait.isOver()) {
      TimeUnit.MILLISECONDS.sleep(STOP_CHECK_MS);
    }
  }
}
