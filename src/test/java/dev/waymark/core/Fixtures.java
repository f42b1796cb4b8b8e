package dev.waymark.core;

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

/** One shard with one pool, and all its effects as text, in order. */
final class Fixtures implements ShardEnvironment, ShardEvents, ShardCounters, Balancer {
  static final long MS = 1_000_000L;
  static final int WINDOW = 100;
  static final int GRANT = 50;

  final List<String> effects = new ArrayList<>();
  final List<ConnectionSummary> summaries = new ArrayList<>();
  final List<Open> opens = new ArrayList<>();
  final List<Lane> lanes = new ArrayList<>();
  final Counters counters = new Counters();
  final MemoryBudget budget;
  final Shard shard;
  final List<Socket> sockets = new ArrayList<>();
  final List<PushResult> pushResults = new ArrayList<>();
  final List<Consumer<PushResult>> forwarded = new ArrayList<>();
  final List<String> forgotten = new ArrayList<>();
  final List<String> suspicions = new ArrayList<>();
  boolean isWritable = true;
  boolean isKernelFull;
  boolean isMailboxFull;
  boolean isFlushFailing;
  long nowNs = Long.MAX_VALUE - 1000 * MS;
  private long version;

  Fixtures() {
    this(
        new PoolOptions(
            "pool", PoolOptions.Acknowledge.AUTO, 5000 * MS, 30, PoolOptions.Moving.DEFAULTS),
        0,
        10_000);
  }

  /** With a listener whose connections become so old. */
  Fixtures(AgeOptions age) {
    this(
        List.of(
            new PoolOptions(
                "pool", PoolOptions.Acknowledge.AUTO, 5000 * MS, 30, PoolOptions.Moving.DEFAULTS)),
        List.of(new ListenerOptions("listener", "pool", Framing.RAW, 0, 0, Set.of(), age)),
        10_000,
        1);
  }

  Fixtures(PoolOptions pool, long idleTimeoutNs, long budgetBytes) {
    this(List.of(pool), List.of(listener("listener", "pool", idleTimeoutNs)), budgetBytes, 1);
  }

  /** The first of so many shards, with several pools. */
  Fixtures(List<PoolOptions> pools, List<ListenerOptions> listeners, long budgetBytes, int shards) {
    budget = new MemoryBudget(budgetBytes);
    Shard.Identity identity = new Shard.Identity(0, shards, 42, "node", "0");
    shard =
        new Shard(
            nowNs,
            identity,
            limits(),
            pools.stream().map(pool -> new Shard.PoolSetup(pool, this)).toList(),
            listeners,
            this,
            this,
            this,
            budget,
            new SplittableRandom(1));
  }

  static ListenerOptions listener(
      String name, String pool, long idleTimeoutNs, String... pushFrom) {
    return new ListenerOptions(
        name, pool, Framing.RAW, 0, idleTimeoutNs, Set.of(pushFrom), AgeOptions.OFF);
  }

  /** What a piece that is held counts for besides its bytes. */
  static final int PIECE = 7;

  static Limits limits() {
    Limits d = Limits.DEFAULTS;
    return new Limits(
        WINDOW,
        WINDOW,
        GRANT,
        80,
        d.memoryBudgetBytes(),
        1000,
        4096,
        1000 * MS,
        10_000 * MS,
        2000 * MS,
        6000 * MS,
        100 * MS,
        1000 * MS,
        20 * MS,
        10_000 * MS,
        5000 * MS,
        20,
        PIECE,
        PIECE);
  }

  // --- inputs ---

  void upstreams(String... addresses) {
    upstreamsOf("pool", addresses);
  }

  void upstreamsOf(String pool, String... addresses) {
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
  Lane attachedLane() {
    upstreams("a:1");
    lane().onReady(nowNs);
    lane()
        .onFrame(
            nowNs, new UpstreamFrame().clear().control(new UpstreamControl.Settings(1, 0, false)));
    endTurn();
    return lane();
  }

  /** An upstream of that pool that acknowledges and wants announcements or not, and its lane. */
  Lane laneOf(String pool, String address, boolean isAnnouncementsWanted) {
    upstreamsOf(pool, address);
    Lane lane = lane();
    lane.onReady(nowNs);
    UpstreamControl settings = new UpstreamControl.Settings(1, 0, isAnnouncementsWanted);
    lane.onFrame(nowNs, new UpstreamFrame().clear().control(settings));
    endTurn();
    return lane;
  }

  Lane lane() {
    return lanes.getLast();
  }

  /** Upstreams that acknowledge, and the last lane to each. */
  List<Lane> attachedLanes(String... addresses) {
    int known = lanes.size();
    upstreams(addresses);
    List<Lane> added = List.copyOf(lanes.subList(known, lanes.size()));
    added.forEach(this::settings);
    return added;
  }

  /** The lane is established, and its upstream acknowledges. */
  void settings(Lane lane) {
    lane.onReady(nowNs);
    lane.onFrame(
        nowNs, new UpstreamFrame().clear().control(new UpstreamControl.Settings(1, 0, false)));
    endTurn();
  }

  /** The owner hands the connection over. */
  void released(Connection connection, long consumed) {
    answer(
        connection, frame(connection).consumed(consumed).control(new UpstreamControl.Released()));
  }

  /** A frame from the owner. */
  void answer(Connection connection, UpstreamFrame frame) {
    owner(connection).onFrame(nowNs, frame);
    endTurn();
  }

  static Lane owner(Connection connection) {
    return Objects.requireNonNull(connection.lane());
  }

  Socket socket(Connection connection) {
    return sockets.stream()
        .filter(socket -> socket.connection == connection)
        .findFirst()
        .orElseThrow();
  }

  Connection accept() {
    return accept("listener");
  }

  Connection accept(String listener) {
    Socket socket = new Socket();
    sockets.add(socket);
    Connection connection = shard.onAccepted(nowNs, 1, listener, socket);
    socket.connection = connection;
    endTurn();
    return connection;
  }

  UpstreamFrame frame(Connection connection) {
    return new UpstreamFrame().clear().connection(connection.sequence()).epoch(connection.epoch());
  }

  void receive(UpstreamFrame frame) {
    lane().onFrame(nowNs, frame);
    endTurn();
  }

  static ByteBuf bytes(int count) {
    return Unpooled.wrappedBuffer(new byte[count]);
  }

  static ByteBuf text(String text) {
    return Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
  }

  void passMs(long ms) {
    long end = nowNs + ms * MS;
    while (shard.nextDeadlineNs() - end <= 0) {
      nowNs = shard.nextDeadlineNs();
      shard.onDeadline(nowNs);
      endTurn();
    }
    nowNs = end;
  }

  void endTurn() {
    shard.onTurnEnd(nowNs);
    shard.checkInvariants();
  }

  List<String> takeEffects() {
    List<String> taken = List.copyOf(effects);
    effects.clear();
    return taken;
  }

  /** A client's socket whose kernel takes all or nothing. */
  final class Socket implements ClientSocket {
    @SuppressWarnings("NullAway.Init") // Set as soon as it is accepted.
    Connection connection;

    private long queuedBytes;
    private int queuedPieces;

    /** Of the first flush; the kernel has not taken the whole. */
    long partlyTakenBytes;

    private boolean isFinishDue;
    private boolean isOpen = true;

    /** All that was written, as text. */
    final StringBuilder content = new StringBuilder();

    void drain() {
      long bytes = queuedBytes;
      int pieces = queuedPieces;
      queuedBytes = 0;
      queuedPieces = 0;
      if (bytes > 0) {
        effects.add("written " + bytes);
        connection.onWritten(nowNs, bytes, pieces);
      }
      if (isFinishDue && isOpen) {
        isFinishDue = false;
        effects.add("FIN");
      }
    }

    @Override
    public void write(ByteBuf owned) {
      queuedBytes += owned.readableBytes();
      queuedPieces++;
      content.append(owned.toString(StandardCharsets.ISO_8859_1));
      owned.release();
    }

    @Override
    public long unwrittenBytes() {
      return queuedBytes - partlyTakenBytes;
    }

    @Override
    public void flush() {
      if (isFlushFailing) {
        isFlushFailing = false;
        throw new IllegalStateException("a test's defect");
      }
      if (!isKernelFull) {
        drain();
      }
    }

    private boolean isFinished;

    @Override
    public void finish() {
      isFinishDue = !isFinished;
      isFinished = true;
      flush();
    }

    @Override
    public void pauseReading() {
      effects.add("pause");
    }

    @Override
    public void resumeReading() {
      effects.add("resume");
    }

    @Override
    public void close() {
      ended("close");
    }

    @Override
    public void reset() {
      ended("RST");
    }

    private void ended(String how) {
      if (isOpen) {
        isOpen = false;
        effects.add(how);
        connection.onSocketClosed(nowNs);
      }
    }

    @Override
    public String clientAddress() {
      return "10.0.0.1:1";
    }

    @Override
    public String clientHost() {
      return "10.0.0.1";
    }

    @Override
    public String localAddress() {
      return "10.0.0.2:7000";
    }
  }

  private final class Transport implements LaneTransport {
    private final String upstream;
    private int gatheredBytes;

    Transport(String upstream) {
      this.upstream = upstream;
    }

    private void frame(String text) {
      gatheredBytes++;
      effects.add(text);
    }

    @Override
    public void hello(Hello hello) {
      frame("Hello " + upstream);
    }

    @Override
    public void open(long connection, int epoch, Open open) {
      opens.add(open);
      frame("Open");
    }

    @Override
    public void data(
        long connection, int epoch, long offset, ByteBuf owned, boolean last, long limit) {
      gatheredBytes += owned.readableBytes();
      frame("data " + offset + "+" + owned.readableBytes());
      owned.release();
    }

    @Override
    public void limit(long connection, int epoch, long limit) {
      frame("limit " + limit);
    }

    @Override
    public void halfClose(long connection, int epoch, long offset) {
      frame("HalfClose " + offset);
    }

    @Override
    public void close(long connection, int epoch, CloseReason reason) {
      frame("Close " + reason);
    }

    @Override
    public void release(long connection, int epoch) {
      frame("Release");
    }

    @Override
    public void ping(long id) {
      frame("Ping");
    }

    @Override
    public void pushResult(PushResult result) {
      frame(result.outcome() + " " + result.id());
      pushResults.add(result);
    }

    @Override
    public void syncing() {
      frame("Syncing");
    }

    @Override
    public void opened(long connection, String mark, String listener, String clientAddress) {
      frame("Opened " + connection + " " + listener);
    }

    @Override
    public void closed(long connection, CloseReason reason) {
      frame("Closed " + connection + " " + reason);
    }

    @Override
    public void synced() {
      frame("Synced");
    }

    @Override
    public int batchBytes() {
      return gatheredBytes;
    }

    @Override
    public boolean flush() {
      gatheredBytes = 0;
      return isWritable;
    }

    @Override
    public void cancel(String cause) {
      effects.add("cancel " + cause);
    }

    @Override
    public void finish() {
      effects.add("finish " + upstream);
    }
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
    return new Transport(lane.upstream().address());
  }

  @Override
  public boolean forwardPush(
      int shard, String pool, UpstreamControl.Push push, Consumer<PushResult> reply) {
    effects.add("forward " + push.id() + " to " + shard);
    forwarded.add(reply);
    return !isMailboxFull;
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

  @Override
  public Counters listener(String listener) {
    return counters;
  }

  @Override
  public Counters upstream(String pool, String upstream) {
    return counters;
  }

  @Override
  public void forgetUpstream(String pool, String upstream) {
    forgotten.add(upstream);
  }

  @Override
  public void onConnectionOpened(Mark mark, String listener, String clientAddress) {}

  @Override
  public void onConnectionAttached(Mark mark, String pool, String upstream, int epoch) {}

  @Override
  public void onConnectionClosed(ConnectionSummary summary) {
    summaries.add(summary);
    effects.add("closed " + summary.reason() + " by " + summary.endedBy());
  }

  @Override
  public void onUpstreamSuspect(String pool, String upstream, Suspicion why) {
    suspicions.add(upstream + " " + why);
  }

  @Override
  public void onLaneOpen(String pool, String upstream) {}

  @Override
  public void onLaneBroken(String pool, String upstream, String cause, int connections) {}

  @Override
  public void onLaneRefused(String pool, String upstream, String cause) {}

  @Override
  public void onUpstreamDraining(String pool, String upstream) {}

  @Override
  public void onOverBudget(long usedBytes, long budgetBytes) {}

  @Override
  public void onUnderBudget(long usedBytes, long budgetBytes) {}
}
