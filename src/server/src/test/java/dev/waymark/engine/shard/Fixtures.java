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

/** One shard with one pool, and all its effects as text, in order. */
public final class Fixtures implements ShardEnvironment, Balancer {
  public static final long MS = 1_000_000L;
  public static final int WINDOW = 100;
  public static final int REPLY_WINDOW = 50;

  public final List<String> effects = new ArrayList<>();
  private final KeptEvents events = new KeptEvents(this::onClosed);
  public final List<ConnectionSummary> summaries = events.summaries();
  public final List<ForcedDetach> taken = events.taken();
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

  /** Addresses, of the last choice. */
  public List<String> candidates = List.of();

  public boolean isWritable = true;
  public boolean isKernelFull;
  public boolean isMailboxFull;

  /** Sockets that the bridge closes are told to be closed by {@link #finishClosing}. */
  public boolean isClosingLate;

  /** How often other shards were asked to free memory. */
  public int asksToFree;

  public boolean isFlushFailing;
  public long nowNs = Long.MAX_VALUE - 1000 * MS;
  private long version;
  private long lastPushId;

  public Fixtures() {
    this(pool("pool"), 0, 10_000);
  }

  /** With a listener whose connections become so old. */
  public Fixtures(AgeOptions age) {
    this(
        List.of(pool("pool")),
        List.of(new ListenerOptions("listener", "pool", Framing.RAW, 0, 0, Set.of(), age)),
        10_000,
        1);
  }

  public Fixtures(PoolOptions pool, long idleTimeoutNs, long budgetBytes) {
    this(List.of(pool), List.of(listener("listener", "pool", idleTimeoutNs)), budgetBytes, 1);
  }

  /** The first of so many shards, with several pools. */
  public Fixtures(
      List<PoolOptions> pools, List<ListenerOptions> listeners, long budgetBytes, int shards) {
    this(pools, listeners, budgetBytes, new ShardIdentity(0, shards, 42, "node", "0"), null);
  }

  /**
   * A shard of the same bridge as another, of which it learns by its quarantine alone; time passes
   * for each by itself.
   */
  public static Fixtures besides(Fixtures other) {
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
        name, pool, Framing.RAW, 0, idleTimeoutNs, Set.of(pushFrom), AgeOptions.OFF);
  }

  /** So much more than a shard has reported is reported within its turn too. */
  public static final int UNREPORTED_BYTES_MAX = (int) MemoryBudget.UNREPORTED_BYTES_MAX;

  /** What a buffer that is held counts for besides its bytes. */
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
    shard.onPool(nowNs, new PoolSnapshot(pool, ++version, views));
    endTurn();
  }

  /** An upstream that acknowledges, and its lane. */
  public Lane attachedLane() {
    upstreams("a:1");
    settings(lane());
    return lane();
  }

  /** An upstream of that pool that acknowledges and wants announcements or not, and its lane. */
  public Lane laneOf(String pool, String address, boolean wantsAnnouncements) {
    upstreamsOf(pool, address);
    Lane lane = lane();
    lane.onReady(nowNs);
    control(lane, new UpstreamControl.Settings(1, 0, wantsAnnouncements));
    return lane;
  }

  public Lane lane() {
    return lanes.getLast();
  }

  /** Upstreams that acknowledge, and the last lane to each. */
  public List<Lane> attachedLanes(String... addresses) {
    int known = lanes.size();
    upstreams(addresses);
    List<Lane> added = List.copyOf(lanes.subList(known, lanes.size()));
    added.forEach(this::settings);
    return added;
  }

  /** Upstreams that have said nothing, and all lanes established. */
  public void atMostOnceLanes(String... addresses) {
    upstreams(addresses);
    lanes.forEach(lane -> lane.onReady(nowNs));
    endTurn();
  }

  /** The lane is established, and its upstream acknowledges. */
  public void settings(Lane lane) {
    lane.onReady(nowNs);
    control(lane, new UpstreamControl.Settings(1, 0, false));
  }

  /** A frame of the lane itself. */
  public void control(Lane lane, UpstreamControl control) {
    lane.onFrame(nowNs, new UpstreamFrame().clear().control(control));
    endTurn();
  }

  /** Other shards hold so many bytes more. */
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

  /** The owner hands the connection over. */
  public void released(Connection connection, long consumed) {
    answer(
        connection, frame(connection).consumed(consumed).control(new UpstreamControl.Released()));
  }

  /** A frame from the owner. */
  public void answer(Connection connection, UpstreamFrame frame) {
    owner(connection).onFrame(nowNs, frame);
    endTurn();
  }

  /** The owner refuses the connection. */
  public void refuse(Connection connection) {
    answer(connection, frame(connection).close(CloseReason.BUSY.wireCode()));
  }

  public static Lane owner(Connection connection) {
    return (Lane) Objects.requireNonNull(connection.owner());
  }

  /** Of its owner, or "nobody". */
  public static String ownerAddress(Connection connection) {
    Owner owner = connection.owner();
    return owner == null ? "nobody" : owner.upstreamAddress();
  }

  /** Bytes from the client. */
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

  /** All sockets that the bridge has closed are gone. */
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

  /** A frame of the owner with these bytes. */
  public UpstreamFrame reply(Connection connection, String text) {
    return frame(connection).payload(text(text));
  }

  public @Nullable Outcome push(Connection connection, String text) {
    return push(connection.mark(), text, UpstreamFrame.ABSENT);
  }

  /** On the newest lane. What it was answered at once, or null. */
  public @Nullable Outcome push(@Nullable Mark mark, String text, long epoch) {
    int before = pushResults.size();
    byte[] payload = text.getBytes(StandardCharsets.ISO_8859_1);
    control(lane(), new UpstreamControl.Push(++lastPushId, mark, payload, epoch));
    return pushResults.size() == before ? null : pushResults.getLast().outcome();
  }

  /** What pushes were answered so far. */
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

  /** Time passes, and all upstreams answer Pings. */
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

  // --- what the shard needs ---

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
    asksToFree++;
  }

  @Override
  public void pauseAccepting() {
    effects.add("accept no more");
  }

  @Override
  public void resumeAccepting() {
    effects.add("accept again");
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
