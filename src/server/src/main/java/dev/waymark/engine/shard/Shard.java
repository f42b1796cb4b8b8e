package dev.waymark.engine.shard;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.DeadlineWheel;
import dev.waymark.engine.base.Limits;
import dev.waymark.engine.base.LoopClock;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.base.ShardCounters;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ConnectionHost;
import dev.waymark.engine.connection.ConnectionInfo;
import dev.waymark.engine.connection.ConnectionStatus;
import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.connection.Evidence.Loss;
import dev.waymark.engine.connection.ForcedDetach;
import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.engine.connection.Owner;
import dev.waymark.engine.lane.Announcements;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneStatus;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.engine.pool.PoolHost;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.engine.pool.ShardPool;
import dev.waymark.engine.pool.UpstreamEvents;
import dev.waymark.engine.stream.ClientSocket;
import dev.waymark.protocol.Check;
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
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The connections and lanes of one event loop. Confined to one thread, the shard's. After an input,
 * the edge calls the shard again only as requested by {@link ShardEnvironment#requestTurnEnd} and
 * {@link ShardEnvironment#requestDeadline}.
 */
public final class Shard {
  private final ShardIdentity identity;
  private final Limits limits;
  private final ShardEnvironment environment;
  private final ShardEvents events;
  private final ShardCounters counters;
  private final RandomGenerator random;
  private final DeadlineWheel wheel;
  private final Map<String, ShardPool> pools = new HashMap<>();
  private final Map<String, ListenerOptions> listeners = new HashMap<>();
  private final Map<String, ListenerHost> hosts = new HashMap<>();
  private final ConnectionTable connections = new ConnectionTable();
  private final ArrayDeque<Connection> connectionsToFlush = new ArrayDeque<>();
  private final ArrayDeque<Lane> lanesToFlush = new ArrayDeque<>();
  private final List<Connection> creditOwed = new ArrayList<>();
  private final ShardMemory memory;
  private final Announcements announcements;
  private final Services services = new Services();
  private final PushRouter pushes;

  private long acceptedCount;
  private long standstillNs;
  private boolean isTurnEndRequested;
  private long creditDeadlineNs;

  public Shard(
      long nowNs,
      ShardIdentity identity,
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
    this.memory = new ShardMemory(environment, events, identity.count(), connections, budget);
    this.announcements = new Announcements(connections::get, connections::sequences);
    this.pushes =
        new PushRouter(identity, environment, connections, listeners.values(), this::hasIssued);
    onConfigured(nowNs, poolSetups, listenerOptions);
  }

  // --- inputs ---

  /** A client was accepted: its connection gets a mark, and an owner as soon as possible. */
  public Connection onAccepted(
      long nowNs, long nowUnixMs, String listenerName, ClientSocket socket) {
    ListenerHost listener = hosts.get(listenerName);
    if (listener == null) {
      throw new IllegalArgumentException("no listener " + listenerName);
    }
    acceptedCount++;
    Mark mark = new Mark(identity.instance(), acceptedCount * identity.count() + identity.index());
    ConnectionInfo info = listener.info(mark, socket, elapsedNs(nowNs), nowUnixMs);
    Connection connection = new Connection(listener, info, socket, nowNs);
    connections.put(connection);
    announcements.onOpened(connection);
    announceAtTurnEnd();
    listener.counters().add(Counter.CONNECTIONS_ACCEPTED, 1);
    events.onConnectionOpened(mark, listenerName, socket.clientAddress());
    connection.armDeadline(nowNs);
    listener.pool.assign(nowNs, connection);
    connection.updateReading();
    return connection;
  }

  /**
   * Adds pools and listeners, or changes their options. Connections keep the listener options of
   * their accept; a known pool keeps its balancer.
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
            "listener " + options.name() + " names an unknown pool: " + options.pool());
      }
      listeners.put(options.name(), options);
      hosts.put(options.name(), new ListenerHost(options, pool, counters.listener(options.name())));
    }
  }

  /** The listener accepts no more clients; its connections stay. */
  public void onListenerRemoved(String listener) {
    listeners.remove(listener);
    hosts.remove(listener);
  }

  /**
   * Removes a pool that no listener names, and ends its lanes, unless a connection still needs it.
   *
   * @return whether the pool is removed; if not, call again later
   */
  public boolean removePoolIfUnused(String name) {
    ShardPool pool = pools.get(name);
    if (pool == null) {
      return true;
    }
    boolean[] isUsed = new boolean[1];
    listeners.values().forEach(listener -> isUsed[0] |= listener.pool().equals(name));
    connections.forEach(connection -> isUsed[0] |= connection.isIn(name));
    if (!isUsed[0]) {
      pools.remove(name);
      pool.remove();
    }
    return !isUsed[0];
  }

  /** The control plane has published a snapshot of a pool. */
  public void onPool(long nowNs, PoolSnapshot snapshot) {
    ShardPool pool = pools.get(snapshot.pool());
    if (pool != null) {
      pool.onSnapshot(nowNs, snapshot);
    }
  }

  /**
   * A push that came on a lane of another shard, for a connection of this one.
   *
   * @param pool the pool of that lane
   * @param reply gets the result, once, now or later, on this thread
   */
  public void onPush(
      long nowNs, String pool, UpstreamControl.Push push, Consumer<PushResult> reply) {
    pushes.push(nowNs, pool, push, reply);
  }

  /** The current input has been handled: one flush per socket, one message per lane. */
  public void onTurnEnd(long nowNs) {
    boolean isAnyLeft = false;
    try {
      for (ShardPool pool : pools.values()) {
        isAnyLeft |= pool.placeSome(nowNs);
      }
      announcements.send();
      // Flushing a socket may free credit, which is a frame. So lanes come last, and both queues
      // may grow meanwhile.
      while (!connectionsToFlush.isEmpty()) {
        connectionsToFlush.remove().flush();
      }
      while (!lanesToFlush.isEmpty()) {
        lanesToFlush.remove().flush();
      }
    } finally {
      isTurnEndRequested = false;
      if (isAnyLeft || !connectionsToFlush.isEmpty() || !lanesToFlush.isEmpty()) {
        // More connections have to be placed, or a flush has thrown, for instance out of memory:
        // the others still have to be flushed.
        requestTurnEnd();
      }
      announceAtTurnEnd();
    }
    memory.check(nowNs);
  }

  /**
   * Another shard found that the process is far over its memory budget; see {@link
   * ShardEnvironment#askOthersToFree}.
   */
  public void onMemoryAsked(long nowNs) {
    memory.onAsked(nowNs);
  }

  /** The time of {@link #nextDeadlineNs} has come. */
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

  /** The loop stood still for this long, which counts in no deadline; see {@link LoopClock}. */
  public void onStandstill(long forNs) {
    standstillNs += forNs;
  }

  /**
   * An operator closes a connection, with FIN or with RST.
   *
   * @return whether there is such a connection
   */
  public boolean onOperatorClose(long nowNs, Mark mark, boolean isReset) {
    Connection connection = connection(mark);
    if (connection != null) {
      connection.onOperatorClose(nowNs, isReset);
    }
    return connection != null;
  }

  /** The bridge drains: connections with an age limit end within this time, spread evenly. */
  public void onDrain(long nowNs, long timeoutNs) {
    connections.forEach(connection -> connection.onDrain(nowNs, timeoutNs));
  }

  /** Called after {@link #stop}: drops the sockets whose clients have not closed their side. */
  public void abandon() {
    connections.forEach(connection -> connection.abandon());
  }

  /** Ends every remaining connection, then every lane. */
  public void stop(long nowNs) {
    connections.forEach(
        connection -> connection.endByBridge(nowNs, CloseReason.BRIDGE_STOPPED, Origin.BRIDGE));
    onTurnEnd(nowNs);
    pools.values().forEach(pool -> pool.finish(nowNs));
  }

  // --- outputs ---

  /** When {@link #onDeadline} has to be called; changes with each call of it. */
  public long nextDeadlineNs() {
    long tickNs = wheel.nextTickNs();
    return creditOwed.isEmpty() || tickNs - creditDeadlineNs < 0 ? tickNs : creditDeadlineNs;
  }

  /** The number of connections whose sockets are not closed. */
  public int connectionCount() {
    return connections.size();
  }

  /** Returns at most this many of the connections, in no order. */
  public List<ConnectionStatus> connections(int countMax) {
    List<ConnectionStatus> some = new ArrayList<>();
    connections.forEach(connection -> {
      if (some.size() < countMax) {
        some.add(connection.status());
      }
    });
    return some;
  }

  /** The connection with this mark; empty if there is none. */
  public Optional<ConnectionStatus> connectionStatus(Mark mark) {
    return Optional.ofNullable(connection(mark)).map(Connection::status);
  }

  /**
   * Finds connections, in no order.
   *
   * @param found gets at most {@code countMax} of those that match
   * @return how many match
   */
  public long find(
      Predicate<ConnectionStatus> filter, int countMax, Consumer<ConnectionStatus> found) {
    long[] count = new long[1];
    connections.forEach(connection -> {
      ConnectionStatus status = connection.status();
      if (filter.test(status) && count[0]++ < countMax) {
        found.accept(status);
      }
    });
    return count[0];
  }

  private @Nullable Connection connection(Mark mark) {
    return mark.instance() == identity.instance() ? connections.get(mark.sequence()) : null;
  }

  /** Every lane of every pool. */
  public List<LaneStatus> lanes() {
    return pools.values().stream().flatMap(pool -> pool.status().stream()).toList();
  }

  /** Checks what always holds; called by the simulation. */
  void checkInvariants() {
    connections.forEach(connection -> {
      connection.checkInvariants();
      ShardPool pool = pools.get(connection.info().listener().pool());
      int places = pool == null ? 0 : pool.placesOf(connection);
      Check.that(
          places + (connection.ownership().isBackingOff() ? 1 : 0)
              == (connection.isWaiting() ? 1 : 0),
          "a waiting connection is in exactly one place, any other in none");
    });
    pools.values().forEach(ShardPool::checkInvariants);
    memory.checkInvariants();
  }

  // --- transitions ---

  private ShardPool newPool(long nowNs, PoolSetup setup) {
    Hello hello =
        new Hello(
            identity.instance(),
            identity.node(),
            identity.version(),
            setup.options().name(),
            identity.index(),
            identity.count());
    return new ShardPool(nowNs, setup, services, hello, random, counters);
  }

  /** The loop's time plus all its standstills. */
  private long elapsedNs(long nowNs) {
    return nowNs + standstillNs;
  }

  /** Whether this shard ever gave a mark with this sequence. */
  private boolean hasIssued(long sequence) {
    long n = sequence / identity.count();
    return sequence % identity.count() == identity.index() && n >= 1 && n <= acceptedCount;
  }

  /** Requests the end of the turn if there are announcements to send. */
  private void announceAtTurnEnd() {
    if (announcements.hasMore()) {
      requestTurnEnd();
    }
  }

  private void requestTurnEnd() {
    if (!isTurnEndRequested) {
      isTurnEndRequested = true;
      environment.requestTurnEnd();
    }
  }

  /** Calls the action with each connection that the lane owns; it may change their owners. */
  void forEachOn(Lane lane, Consumer<Connection> action) {
    if (lane.connectionCount() > 0) {
      connections.forEach(connection -> {
        if (connection.owner() == lane) {
          action.accept(connection);
        }
      });
    }
  }

  /** Calls the action with each connection. */
  void forEach(Consumer<Connection> action) {
    connections.forEach(action);
  }

  @Nullable ShardPool pool(String name) {
    return pools.get(name);
  }

  /** The shard as the connections of one listener see it. */
  private final class ListenerHost implements ConnectionHost {
    private final ListenerOptions options;
    private final ShardPool pool;
    private final Counters listenerCounters;
    private String localAddress = "";

    ListenerHost(ListenerOptions options, ShardPool pool, Counters listenerCounters) {
      this.options = options;
      this.pool = pool;
      this.listenerCounters = listenerCounters;
    }

    ConnectionInfo info(Mark mark, ClientSocket socket, long elapsedNs, long nowUnixMs) {
      String dialled = socket.localAddress();
      if (!dialled.equals(localAddress)) {
        // Shares one string between connections: most clients dial the same address.
        localAddress = dialled;
      }
      return new ConnectionInfo(
          mark,
          options,
          socket.clientAddress(),
          localAddress,
          socket.proxy(),
          socket.tls(),
          elapsedNs,
          nowUnixMs);
    }

    @Override
    public Limits limits() {
      return limits;
    }

    @Override
    public PoolOptions pool() {
      return pool.options();
    }

    @Override
    public Counters counters() {
      return listenerCounters;
    }

    @Override
    public long elapsedNs(long nowNs) {
      return Shard.this.elapsedNs(nowNs);
    }

    @Override
    public DeadlineWheel wheel() {
      return wheel;
    }

    @Override
    public boolean isOverBudget() {
      return memory.isOverBudget();
    }

    @Override
    public void hold(long bytes) {
      if (bytes != 0) {
        memory.hold(bytes);
        requestTurnEnd();
      }
    }

    @Override
    public void flushAtTurnEnd(Connection connection) {
      connectionsToFlush.add(connection);
      requestTurnEnd();
    }

    @Override
    public void oweCredit(long nowNs, Connection connection) {
      creditOwed.add(connection);
      if (creditOwed.size() == 1) {
        creditDeadlineNs = nowNs + limits.creditDelayNs();
        // Last, because the environment calls nextDeadlineNs.
        environment.requestDeadline(creditDeadlineNs);
      }
    }

    @Override
    public void offer(Connection connection) {
      pool.assignAgain(connection);
    }

    @Override
    public void withdraw(Connection connection) {
      pool.stopWaiting(connection);
    }

    @Override
    public long waitEndNs(long nowNs) {
      return pool.waitEndNs(nowNs);
    }

    @Override
    public Loss lossOf(Connection connection, Owner owner, boolean isFenced) {
      return pool.lossOf(connection, owner, isFenced);
    }

    @Override
    public void onCleared(Connection connection, Owner owner, boolean hadLostAlone) {
      pool.onCleared(connection, owner, hadLostAlone);
    }

    @Override
    public void onForcedDetach(ForcedDetach detach) {
      events.onForcedDetach(detach);
    }

    @Override
    public void onClosed(Connection connection, ConnectionSummary summary, long endedUnixMs) {
      connections.remove(connection);
      pushes.onConnectionGone(connection, summary.reason(), endedUnixMs);
      announcements.onClosed(connection, summary.reason());
      announceAtTurnEnd();
      listenerCounters.addClosed(summary.reason());
      listenerCounters.addConnectionDuration(summary.durationNs());
      events.onConnectionClosed(summary);
    }
  }

  /** The shard as its pools and lanes see it. */
  private final class Services implements PoolHost {
    @Override
    public Limits limits() {
      return limits;
    }

    @Override
    public long elapsedNs(long nowNs) {
      return Shard.this.elapsedNs(nowNs);
    }

    @Override
    public UpstreamEvents events() {
      return events;
    }

    @Override
    public int shardCount() {
      return identity.count();
    }

    @Override
    public LaneTransport connect(Lane lane) {
      return environment.connect(lane);
    }

    @Override
    public void flushAtTurnEnd(Lane lane) {
      lanesToFlush.add(lane);
      Shard.this.requestTurnEnd();
    }

    @Override
    public void requestTurnEnd() {
      Shard.this.requestTurnEnd();
    }

    @Override
    public @Nullable Connection connection(long sequence) {
      return connections.get(sequence);
    }

    @Override
    public boolean hasIssued(long sequence) {
      return Shard.this.hasIssued(sequence);
    }

    @Override
    public void forEachOn(Lane lane, Consumer<Connection> action) {
      Shard.this.forEachOn(lane, action);
    }

    @Override
    public void push(
        long nowNs, String pool, UpstreamControl.Push push, Consumer<PushResult> reply) {
      pushes.push(nowNs, pool, push, reply);
    }

    @Override
    public void announce(Lane lane, boolean isWanted) {
      if (isWanted) {
        announcements.start(lane);
        announceAtTurnEnd();
      } else {
        announcements.stop(lane);
      }
    }

    @Override
    public void onAnnounceable() {
      announceAtTurnEnd();
    }
  }
}
