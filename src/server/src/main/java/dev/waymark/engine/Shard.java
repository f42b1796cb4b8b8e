package dev.waymark.engine;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One front event loop's connections and lanes. Confined to one thread, the shard's. After an input
 * the edge waits for {@link ShardEnvironment#requestTurnEnd} and {@link
 * ShardEnvironment#requestDeadline}.
 */
public final class Shard {
  /**
   * Which shard of which bridge.
   *
   * @param index from 0
   * @param count how many there are
   */
  public record Identity(int index, int count, long instance, String node, String version) {}

  /** A pool, what chooses among its upstreams, and where its suspects are tried. */
  public record PoolSetup(PoolOptions options, Balancer balancer, Quarantine quarantine) {}

  private final Identity identity;
  private final Limits limits;
  private final ShardEnvironment environment;
  private final ShardEvents events;
  private final ShardCounters counters;
  private final RandomGenerator random;
  private final DeadlineWheel wheel;
  private final Map<String, ShardPool> pools = new HashMap<>();
  private final Map<String, ShardListener> listeners = new HashMap<>();
  private final ConnectionTable connections = new ConnectionTable();
  private final ArrayDeque<Connection> connectionsToFlush = new ArrayDeque<>();
  private final ArrayDeque<Lane> lanesToFlush = new ArrayDeque<>();
  private final List<Connection> creditOwed = new ArrayList<>();
  private final ShardMemory memory;
  private final Announcements announcements = new Announcements(this);
  private final PushRouter pushes;

  private long acceptedCount;
  private long standstillNs;
  private boolean isTurnEndRequested;
  private long creditDeadlineNs;

  public Shard(
      long nowNs,
      Identity identity,
      Limits limits,
      List<PoolSetup> poolSetups,
      List<ListenerOptions> listenerOptions,
      ShardEnvironment environment,
      ShardEvents events,
      ShardCounters counters,
      MemoryBudget budget,
      RandomGenerator random) {
    this.identity = identity;
    this.limits = limits;
    this.environment = environment;
    this.events = events;
    this.counters = counters;
    this.random = random;
    this.wheel = new DeadlineWheel(nowNs);
    this.memory = new ShardMemory(this, connections, budget);
    this.pushes = new PushRouter(this, identity, listeners.values());
    onConfigured(nowNs, poolSetups, listenerOptions);
  }

  // --- inputs ---

  /** A client was accepted: it gets a mark, and an upstream as soon as there is one. */
  public Connection onAccepted(
      long nowNs, long nowUnixMs, String listenerName, ClientSocket socket) {
    ShardListener listener = listeners.get(listenerName);
    if (listener == null) {
      throw new IllegalArgumentException("no listener " + listenerName);
    }
    acceptedCount++;
    Mark mark = new Mark(identity.instance(), acceptedCount * identity.count() + identity.index());
    Connection connection = new Connection(this, listener, socket, mark, nowNs, nowUnixMs);
    connections.put(connection);
    announcements.onOpened(connection);
    announceAtTurnEnd();
    listener.counters().add(Counter.CONNECTIONS_ACCEPTED, 1);
    events.onConnectionOpened(mark, listenerName, socket.clientAddress());
    connection.armDeadline(nowNs);
    listener.pool().assign(nowNs, connection);
    connection.client().updateReading();
    return connection;
  }

  /**
   * Pools and listeners that are new, or have other options from now on. A listener's connections
   * keep what held when they came; a pool that is known keeps its balancer.
   */
  public void onConfigured(
      long nowNs, List<PoolSetup> poolSetups, List<ListenerOptions> listenerOptions) {
    for (PoolSetup setup : poolSetups) {
      ShardPool known = pools.get(setup.options().name());
      if (known == null) {
        pools.put(setup.options().name(), newPool(nowNs, setup));
      } else {
        known.onOptions(nowNs, setup.options());
      }
    }
    for (ListenerOptions options : listenerOptions) {
      ShardPool pool = pools.get(options.pool());
      if (pool == null) {
        throw new IllegalArgumentException(
            "listener " + options.name() + " names a pool that is not there: " + options.pool());
      }
      listeners.put(
          options.name(), new ShardListener(options, pool, counters.listener(options.name())));
    }
  }

  /** No client comes to this listener any more; its connections live on. */
  public void onListenerRemoved(String listener) {
    listeners.remove(listener);
  }

  /**
   * Ends the lanes of a pool that no listener names, unless a connection still needs it: to be
   * asked again.
   *
   * @return whether the pool is gone
   */
  public boolean removePoolIfUnused(String name) {
    ShardPool pool = pools.get(name);
    if (pool == null) {
      return true;
    }
    boolean[] isUsed = new boolean[1];
    listeners.values().forEach(listener -> isUsed[0] |= listener.pool() == pool);
    connections.forEach(connection -> isUsed[0] |= connection.isIn(pool));
    if (!isUsed[0]) {
      pools.remove(name);
      pool.remove();
    }
    return !isUsed[0];
  }

  /** The control plane has a new view of a pool. */
  public void onPool(long nowNs, PoolSnapshot snapshot) {
    ShardPool pool = pools.get(snapshot.pool());
    if (pool != null) {
      pool.onSnapshot(nowNs, snapshot);
    }
  }

  /**
   * A push that came on a lane of another shard, for a connection of this one.
   *
   * @param pool of that lane
   * @param reply told what became of it, once, now or later, on this thread
   */
  public void onPush(
      long nowNs, String pool, UpstreamControl.Push push, Consumer<PushResult> reply) {
    pushes.push(nowNs, pool, push, reply);
  }

  /** The input at hand has been handled: one flush per socket, one message per lane. */
  public void onTurnEnd(long nowNs) {
    boolean isAnyLeft = false;
    try {
      for (ShardPool pool : pools.values()) {
        isAnyLeft |= pool.placeSome(nowNs);
      }
      announcements.send();
      // Flushing a socket may free credit, which is a frame; so lanes come last, and the queues may
      // grow meanwhile.
      while (!connectionsToFlush.isEmpty()) {
        connectionsToFlush.remove().flush();
      }
      while (!lanesToFlush.isEmpty()) {
        lanesToFlush.remove().flush();
      }
    } finally {
      isTurnEndRequested = false;
      if (isAnyLeft || !connectionsToFlush.isEmpty() || !lanesToFlush.isEmpty()) {
        // Re-opens are paced, or one failed, as where memory runs out: the others must not stall
        // for ever.
        requestTurnEnd();
      }
      announceAtTurnEnd();
    }
    memory.check(nowNs);
  }

  /**
   * Another shard finds that the process holds far too much: {@link
   * ShardEnvironment#askOthersToFree}.
   */
  public void onMemoryAsked(long nowNs) {
    memory.check(nowNs);
  }

  /** Time has passed. */
  public void onDeadline(long nowNs) {
    if (!creditOwed.isEmpty() && creditDeadlineNs - nowNs <= 0) {
      List<Connection> owed = List.copyOf(creditOwed);
      creditOwed.clear();
      owed.forEach(Connection::sendOwedCredit);
    }
    if (wheel.nextTickNs() - nowNs <= 0) {
      wheel.advance(nowNs);
      pools.values().forEach(pool -> pool.onTick(nowNs));
      memory.check(nowNs);
    }
  }

  /** The loop stood still for so long, which counts in no deadline: {@link LoopClock}. */
  public void onStandstill(long forNs) {
    standstillNs += forNs;
  }

  /**
   * The bridge will stop in so long. Connections with a limit of age are ended within that time,
   * spread over it.
   */
  public void onDrain(long nowNs, long timeoutNs) {
    connections.forEach(connection -> connection.end().onDrain(nowNs, timeoutNs));
  }

  /** After {@link #stop}: drops the sockets whose clients have not closed their side. */
  public void abandon() {
    connections.forEach(connection -> connection.end().abandon());
  }

  /** Ends every connection that is left, and then every lane. */
  public void stop(long nowNs) {
    connections.forEach(connection ->
        connection.end().endByBridge(nowNs, CloseReason.BRIDGE_STOPPED, Origin.BRIDGE));
    onTurnEnd(nowNs);
    pools.values().forEach(pool -> pool.finish(nowNs));
  }

  // --- outputs ---

  /** When {@link #onDeadline} is to be called; to be asked again after it. */
  public long nextDeadlineNs() {
    long tickNs = wheel.nextTickNs();
    return creditOwed.isEmpty() || tickNs - creditDeadlineNs < 0 ? tickNs : creditDeadlineNs;
  }

  /** Connections whose sockets are not closed. */
  public int connectionCount() {
    return connections.size();
  }

  /** At most this many of the connections, in no order. */
  public List<ConnectionStatus> connections(int countMax) {
    List<ConnectionStatus> some = new ArrayList<>();
    connections.forEach(connection -> {
      if (some.size() < countMax) {
        some.add(ConnectionStatus.of(connection));
      }
    });
    return some;
  }

  /** Every lane of every pool. */
  public List<LaneStatus> lanes() {
    return pools.values().stream().flatMap(pool -> pool.status().stream()).toList();
  }

  /** All that always holds; the simulation asks after each step. */
  void checkInvariants() {
    connections.forEach(Connection::checkInvariants);
    pools.values().forEach(ShardPool::checkInvariants);
    memory.checkInvariants();
  }

  // --- for connections, lanes and pools ---

  private ShardPool newPool(long nowNs, PoolSetup setup) {
    Hello hello =
        new Hello(
            identity.instance(),
            identity.node(),
            identity.version(),
            setup.options().name(),
            identity.index(),
            identity.count());
    return new ShardPool(nowNs, setup, this, hello, random, counters);
  }

  Limits limits() {
    return limits;
  }

  ShardEnvironment environment() {
    return environment;
  }

  ShardEvents events() {
    return events;
  }

  /** The process holds more than it may; see {@link ShardMemory}. */
  boolean isOverBudget() {
    return memory.isOverBudget();
  }

  /** The loop's time and all standstills of the loop: what a clock on the wall has measured. */
  long elapsedNs(long nowNs) {
    return nowNs + standstillNs;
  }

  /** How many shards the bridge has. */
  int count() {
    return identity.count();
  }

  @Nullable Connection connection(long sequence) {
    return connections.get(sequence);
  }

  /** Whether this shard ever gave a mark with this sequence. */
  boolean hasEverBeen(long sequence) {
    long n = sequence / identity.count();
    return sequence % identity.count() == identity.index() && n >= 1 && n <= acceptedCount;
  }

  /** Of all connections, in no order. */
  long[] sequences() {
    long[] sequences = new long[connections.size()];
    int[] next = new int[1];
    connections.forEach(connection -> sequences[next[0]++] = connection.sequence());
    return sequences;
  }

  PushRouter pushes() {
    return pushes;
  }

  Announcements announcements() {
    return announcements;
  }

  /** Asks for a turn's end if a lane would take announcements. */
  void announceAtTurnEnd() {
    if (announcements.hasMore()) {
      requestTurnEnd();
    }
  }

  void forEachOn(Lane lane, Consumer<Connection> action) {
    if (lane.connectionCount() > 0) {
      connections.forEach(connection -> {
        if (connection.lane() == lane) {
          action.accept(connection);
        }
      });
    }
  }

  void flushAtTurnEnd(Connection connection) {
    connectionsToFlush.add(connection);
    requestTurnEnd();
  }

  void flushAtTurnEnd(Lane lane) {
    lanesToFlush.add(lane);
    requestTurnEnd();
  }

  void oweCredit(long nowNs, Connection connection) {
    creditOwed.add(connection);
    if (creditOwed.size() == 1) {
      creditDeadlineNs = nowNs + limits.creditDelayNs();
      // Asks for nextDeadlineNs, so it comes last.
      environment.requestDeadline(creditDeadlineNs);
    }
  }

  void arm(DeadlineWheel.Node node, long deadlineNs) {
    wheel.arm(node, deadlineNs);
  }

  /** The shard holds so many bytes more; the budget learns of it when the turn ends. */
  void hold(long bytes) {
    if (bytes != 0) {
      memory.hold(bytes);
      requestTurnEnd();
    }
  }

  void onConnectionGone(Connection connection, ConnectionSummary summary, long endedUnixMs) {
    wheel.disarm(connection.deadlines().node());
    connections.remove(connection);
    pushes.onConnectionGone(connection, summary.reason(), endedUnixMs);
    announcements.onClosed(connection, summary.reason());
    announceAtTurnEnd();
    Counters counters = connection.listener().counters();
    counters.addClosed(summary.reason());
    counters.addConnectionDuration(summary.durationNs());
    events.onConnectionClosed(summary);
  }

  void requestTurnEnd() {
    if (!isTurnEndRequested) {
      isTurnEndRequested = true;
      environment.requestTurnEnd();
    }
  }
}
