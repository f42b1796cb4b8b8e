package dev.waymark.engine.shard;

import dev.waymark.engine.base.Backoff;
import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.Limits;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.AgeOptions;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.connection.ForcedDetach;
import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.engine.connection.Owner;
import dev.waymark.engine.lane.Candidate;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.Balancer;
import dev.waymark.engine.pool.PoisonQuarantine;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Framing;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.PushResult.Outcome;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A shard with fake sockets and transports; records all its effects as text, in order. */
public final class Fixtures implements ShardEnvironment, Balancer {
  public static final long MS = 1_000_000L;
  public static final int WINDOW = 100;
  public static final int REPLY_WINDOW = 50;

  public final List<String> effects = new ArrayList<>();
  private final RecordedEvents events = new RecordedEvents(this::onClosed);
  public final List<ConnectionSummary> summaries = events.summaries();
  public final List<ForcedDetach> forcedDetaches = events.forcedDetaches();
  public final List<String> outlierSignals = events.outlierSignals();
  public final List<String> forgotten = events.forgotten();
  public final Counters counters = events.counters();
  public final List<Open> opens = new ArrayList<>();
  public final List<Lane> lanes = new ArrayList<>();
  public final MemoryBudget budget;
  public final Shard shard;
  public final PoisonQuarantine quarantine;
  public final List<FakeSocket> sockets = new ArrayList<>();
  public final List<PushResult> pushResults = new ArrayList<>();
  public final List<Consumer<PushResult>> forwarded = new ArrayList<>();

  /** The addresses among which the balancer chose last. */
  public List<String> candidates = List.of();

  public boolean isWritable = true;
  public boolean isKernelFull;
  public boolean isMailboxFull;

  /** Whether sockets closed by the bridge stay until {@link #finishClosing}. */
  public boolean isCloseDeferred;

  /** How often other shards were asked to free memory. */
  public int freeRequests;

  public boolean failsNextFlush;
  public long nowNs = Long.MAX_VALUE - 1000 * MS;
  private long version;
  private long lastPushId;

  public Fixtures() {
    this(pool("pool"), 0, 10_000);
  }

  /** With a listener that limits the age of its connections. */
  public Fixtures(AgeOptions age) {
    this(
        List.of(pool("pool")),
        List.of(new ListenerOptions("listener", "pool", Framing.RAW, 0, 0, 0, Set.of(), age)),
        10_000,
        1);
  }

  public Fixtures(PoolOptions pool, long idleTimeoutNs, long budgetBytes) {
    this(List.of(pool), List.of(listener("listener", "pool", idleTimeoutNs)), budgetBytes, 1);
  }

  /** The first of several shards, with these pools. */
  public Fixtures(
      List<PoolOptions> pools, List<ListenerOptions> listeners, long budgetBytes, int shards) {
    this(pools, listeners, budgetBytes, new ShardIdentity(0, shards, 42, "node", "0"), null);
  }

  /**
   * Returns a second shard of the same bridge. The two share only the poison quarantine; each has
   * its own time.
   */
  public static Fixtures sharingQuarantineWith(Fixtures other) {
    return new Fixtures(
        List.of(pool("pool")),
        List.of(listener("listener", "pool", 0)),
        10_000,
        new ShardIdentity(1, 2, 42, "node", "0"),
        other.quarantine);
  }

  private Fixtures(
      List<PoolOptions> pools,
      List<ListenerOptions> listeners,
      long budgetBytes,
      ShardIdentity identity,
      @Nullable PoisonQuarantine shared) {
    quarantine = shared != null ? shared : new PoisonQuarantine(() -> nowNs);
    budget = new MemoryBudget(budgetBytes);
    shard =
        new Shard(
            nowNs,
            identity,
            limits(),
            pools.stream().map(pool -> new PoolSetup(pool, this, quarantine)).toList(),
            listeners,
            this,
            events,
            events,
            budget,
            new SplittableRandom(1));
  }

  public static PoolOptions pool(String name) {
    return new PoolOptions(
        name, PoolOptions.Acknowledge.AUTO, 5000 * MS, 30, PoolOptions.Moving.DEFAULTS);
  }

  public static ListenerOptions listener(
      String name, String pool, long idleTimeoutNs, String... pushFrom) {
    return new ListenerOptions(
        name, pool, Framing.RAW, 0, idleTimeoutNs, 0, Set.of(pushFrom), AgeOptions.OFF);
  }

  /** Held bytes beyond this are reported before the turn ends. */
  public static final int UNREPORTED_BYTES_MAX = (int) MemoryBudget.UNREPORTED_BYTES_MAX;

  /** What each held buffer counts in addition to its bytes. */
  public static final int BUFFER_OVERHEAD = 7;

  public static Limits limits() {
    Limits d = Limits.DEFAULTS;
    return Limits.builder()
        .windowBytes(WINDOW)
        .initialWindowBytes(WINDOW)
        .replyWindowBytes(REPLY_WINDOW)
        .replyQueueBytesMax(80)
        .memoryBudgetBytes(d.memoryBudgetBytes())
        .batchBytesMax(1000)
        .laneQueueBytesMax(4096)
        .settingsTimeoutNs(1000 * MS)
        .commitTimeoutNs(10_000 * MS)
        .pingIntervalNs(2000 * MS)
        .laneTimeoutNs(6000 * MS)
        .laneRetry(new Backoff(100 * MS, 1000 * MS))
        .creditDelayNs(20 * MS)
        .lingerTimeoutNs(10_000 * MS)
        .pushWaitNs(5000 * MS)
        .pushBytesMax(20)
        .bufferOverheadBytes(BUFFER_OVERHEAD)
        .build();
  }

  // --- inputs ---

  public void upstreams(String... addresses) {
    upstreamsOf("pool", addresses);
  }

  public void upstreamsOf(String pool, String... addresses) {
    List<UpstreamView> views = new ArrayList<>();
    for (String address : addresses) {
      boolean isServing = !address.startsWith("!");
      views.add(
          new UpstreamView(isServing ? address : address.substring(1), isServing, "", 1, Map.of()));
    }
    views(pool, views);
  }

  /** Sets the upstreams of the pool. */
  public void views(String pool, List<UpstreamView> views) {
    shard.onPool(nowNs, new PoolSnapshot(pool, ++version, views));
    endTurn();
  }

  /** Adds upstream a:1 with Settings. Returns its lane. */
  public Lane acknowledgingLane() {
    upstreams("a:1");
    settings(lane());
    return lane();
  }

  /** Sets the only upstream of a pool, with Settings. Returns its lane. */
  public Lane laneOf(String pool, String address, boolean wantsAnnouncements) {
    upstreamsOf(pool, address);
    Lane lane = lane();
    lane.onReady(nowNs);
    control(lane, new UpstreamControl.Settings(1, 0, wantsAnnouncements, false));
    return lane;
  }

  public Lane lane() {
    return lanes.getLast();
  }

  /** Sets the upstreams, all with Settings. Returns the lanes that are new. */
  public List<Lane> acknowledgingLanes(String... addresses) {
    int known = lanes.size();
    upstreams(addresses);
    List<Lane> added = List.copyOf(lanes.subList(known, lanes.size()));
    added.forEach(this::settings);
    return added;
  }

  /** Sets the upstreams and establishes their lanes, without Settings. */
  public void atMostOnceLanes(String... addresses) {
    upstreams(addresses);
    lanes.forEach(lane -> lane.onReady(nowNs));
    endTurn();
  }

  /** Establishes the lane, and sends Settings on it. */
  public void settings(Lane lane) {
    lane.onReady(nowNs);
    control(lane, new UpstreamControl.Settings(1, 0, false, false));
  }

  /** Receives a control frame on the lane. */
  public void control(Lane lane, UpstreamControl control) {
    lane.onFrame(nowNs, new UpstreamFrame().clear().control(control));
    endTurn();
  }

  /** Adds bytes held by other shards. */
  public void holdElsewhere(long bytes) {
    budget.add(bytes);
  }

  public void draining(Lane lane) {
    control(lane, new UpstreamControl.Draining());
  }

  public void broken(Lane lane) {
    lane.onBroken(nowNs, "test");
    endTurn();
  }

  /** The upstream ends the call. */
  public void ended(Lane lane) {
    lane.onEnded(nowNs, "test");
    endTurn();
  }

  /** The owner sends Released. */
  public void released(Connection connection, long consumed) {
    answer(
        connection, frame(connection).consumed(consumed).control(new UpstreamControl.Released()));
  }

  /** Receives a frame from the owner. */
  public void answer(Connection connection, UpstreamFrame frame) {
    owner(connection).onFrame(nowNs, frame);
    endTurn();
  }

  /** The owner closes the connection with BUSY. */
  public void refuse(Connection connection) {
    answer(connection, frame(connection).close(CloseReason.BUSY.wireCode()));
  }

  public static Lane owner(Connection connection) {
    return (Lane) Objects.requireNonNull(connection.owner());
  }

  /** Returns the address of the owner, or "nobody". */
  public static String ownerAddress(Connection connection) {
    Owner owner = connection.owner();
    return owner == null ? "nobody" : owner.upstreamAddress();
  }

  /** Receives bytes from the client. */
  public void data(Connection connection, int bytes) {
    connection.onClientBytes(nowNs, bytes(bytes), false);
    endTurn();
  }

  public FakeSocket socket(Connection connection) {
    return sockets.stream()
        .filter(socket -> socket.connection == connection)
        .findFirst()
        .orElseThrow();
  }

  /** Completes the deferred closes of all sockets. */
  public void finishClosing() {
    sockets.forEach(FakeSocket::finishClosing);
    endTurn();
  }

  public Connection accept() {
    return accept("listener");
  }

  public Connection accept(String listener) {
    FakeSocket socket = new FakeSocket(this);
    sockets.add(socket);
    Connection connection = shard.onAccepted(nowNs, 1, listener, socket);
    socket.connection = connection;
    endTurn();
    return connection;
  }

  public UpstreamFrame frame(Connection connection) {
    return new UpstreamFrame().clear().connection(connection.sequence()).epoch(connection.epoch());
  }

  public void receive(UpstreamFrame frame) {
    lane().onFrame(nowNs, frame);
    endTurn();
  }

  /** Returns a frame of the owner with this payload. */
  public UpstreamFrame reply(Connection connection, String text) {
    return frame(connection).payload(text(text));
  }

  public @Nullable Outcome push(Connection connection, String text) {
    return push(connection.mark(), text, UpstreamFrame.ABSENT);
  }

  /** Receives a push on the newest lane. Returns the outcome, or null if there is none yet. */
  public @Nullable Outcome push(@Nullable Mark mark, String text, long epoch) {
    int before = pushResults.size();
    byte[] payload = text.getBytes(StandardCharsets.ISO_8859_1);
    control(lane(), new UpstreamControl.Push(++lastPushId, mark, payload, epoch));
    return pushResults.size() == before ? null : pushResults.getLast().outcome();
  }

  /** The outcomes of all pushes answered so far. */
  public List<Outcome> pushOutcomes() {
    return pushResults.stream().map(PushResult::outcome).toList();
  }

  public static ByteBuf bytes(int count) {
    return Unpooled.wrappedBuffer(new byte[count]);
  }

  public static ByteBuf text(String text) {
    return Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
  }

  public void passMs(long ms) {
    long end = nowNs + ms * MS;
    while (shard.nextDeadlineNs() - end <= 0) {
      nowNs = shard.nextDeadlineNs();
      shard.onDeadline(nowNs);
      endTurn();
    }
    nowNs = end;
  }

  /** Lets time pass while all upstreams answer Pings. */
  public void passWithPongs(long ms) {
    for (long left = ms; left > 0; left -= 1_000) {
      passMs(Math.min(left, 1_000));
      for (Lane lane : List.copyOf(lanes)) {
        lane.onFrame(nowNs, new UpstreamFrame().clear().control(new UpstreamControl.Pong(1)));
      }
      endTurn();
    }
  }

  public void endTurn() {
    shard.onTurnEnd(nowNs);
    shard.checkInvariants();
  }

  public List<String> takeEffects() {
    List<String> taken = List.copyOf(effects);
    effects.clear();
    return taken;
  }

  private void onClosed(ConnectionSummary summary) {
    effects.add("closed " + summary.reason() + " by " + summary.endedBy());
  }

  // --- ShardEnvironment and Balancer ---

  @Override
  public void requestTurnEnd() {}

  @Override
  public void requestDeadline(long deadlineNs) {
    effects.add("timer in " + (shard.nextDeadlineNs() - nowNs) / MS + " ms");
  }

  @Override
  public LaneTransport connect(Lane lane) {
    lanes.add(lane);
    effects.add("connect " + lane.upstream().address());
    return new FakeTransport(this, lane.upstream().address());
  }

  @Override
  public boolean forwardPush(
      int shard, String pool, UpstreamControl.Push push, Consumer<PushResult> reply) {
    effects.add("forward " + push.id() + " to " + shard);
    forwarded.add(reply);
    return !isMailboxFull;
  }

  @Override
  public void askOthersToFree() {
    freeRequests++;
  }

  @Override
  public void pauseAccepting() {
    effects.add("pause accepting");
  }

  @Override
  public void resumeAccepting() {
    effects.add("resume accepting");
  }

  @Override
  public Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark) {
    this.candidates = candidates.stream().map(candidate -> candidate.upstream().address()).toList();
    return candidates.getFirst();
  }

  @Override
  public double share(List<? extends Candidate> candidates, Candidate of) {
    return 1.0 / candidates.size();
  }

  @Override
  public boolean isByKey() {
    return false;
  }

  @Override
  public void onAttached(UpstreamView upstream) {}

  @Override
  public void onDetached(UpstreamView upstream) {}
}
