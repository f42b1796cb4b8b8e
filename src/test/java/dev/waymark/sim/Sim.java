package dev.waymark.sim;

import dev.waymark.core.Balancer;
import dev.waymark.core.ConnectionSummary;
import dev.waymark.core.Counters;
import dev.waymark.core.Framing;
import dev.waymark.core.Lane;
import dev.waymark.core.LaneTransport;
import dev.waymark.core.Limits;
import dev.waymark.core.ListenerOptions;
import dev.waymark.core.Mark;
import dev.waymark.core.MemoryBudget;
import dev.waymark.core.PoolOptions;
import dev.waymark.core.PoolOptions.Acknowledge;
import dev.waymark.core.PoolSnapshot;
import dev.waymark.core.Shard;
import dev.waymark.core.ShardCounters;
import dev.waymark.core.ShardEnvironment;
import dev.waymark.core.ShardEvents;
import dev.waymark.core.ShardInspector;
import dev.waymark.core.Suspicion;
import dev.waymark.core.UpstreamView;
import dev.waymark.sim.checkers.Rule10Memory;
import dev.waymark.sim.checkers.Rule1Order;
import dev.waymark.sim.checkers.Rule2Windows;
import dev.waymark.sim.checkers.Rule3Replay;
import dev.waymark.sim.checkers.Rule8Late;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** One run of a shard in a simulated world: everything follows from the seed. */
final class Sim implements ShardEnvironment, ShardEvents, ShardCounters, Balancer {
  private static final long MS = 1_000_000L;
  private static final int CLIENTS_MAX = 24;
  private static final int HEAL_ROUNDS = 3000;

  /** Longer than the waits for Settings and for an upstream. */
  private static final int QUIET_ROUNDS = 60;

  private final SplittableRandom random;
  private final Mutation mutation;
  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);
  private final Counters counters = new Counters();
  private final Limits limits;
  private final MemoryBudget budget;
  private final Watchers watchers;
  private final List<SimClient> clients = new ArrayList<>();
  private final List<SimLane> lanes = new ArrayList<>();
  private final List<SimUpstream.Kind> kinds = new ArrayList<>();
  private final List<ConnectionSummary> summaries = new ArrayList<>();
  private final boolean isFramed;
  private final int shards;
  private final Shard shard;
  private Faults faults;
  private long nowNs;
  private long accepted;
  private int lanesOpened;
  private long version;
  private final Set<Long> spoilt = new HashSet<>();
  private boolean isTurnEndRequested;
  private boolean isAcceptingPaused;
  private boolean hasMutated;

  Sim(long seed, Faults faults, Mutation mutation) {
    this.random = new SplittableRandom(seed);
    this.faults = faults == null ? Faults.any(random) : faults;
    this.mutation = mutation;
    this.nowNs = random.nextLong();
    this.isFramed = oneIn(2);
    this.shards = 1 + upTo(3);
    int window = 50 + upTo(1500);
    int initialWindow = 1 + upTo(window);
    int grant = 20 + upTo(1500);
    long budgetBytes = oneIn(3) ? 300 + upTo(3000) : 1 << 20;
    this.limits =
        new Limits(
            window,
            initialWindow,
            grant,
            grant + upTo(2000),
            budgetBytes,
            100 + upTo(2000),
            4096,
            1000 * MS,
            10_000 * MS,
            2000 * MS,
            6000 * MS,
            100 * MS,
            2000 * MS,
            20 * MS,
            10_000 * MS,
            0);
    this.budget = new MemoryBudget(budgetBytes);
    this.watchers =
        new Watchers(
            new Rule1Order(),
            new Rule2Windows(window, initialWindow, limits.settingsTimeoutNs()),
            new Rule3Replay(),
            new Rule8Late(),
            new Rule10Memory(budgetBytes));
    this.shard = newShard();
  }

  private Shard newShard() {
    for (int i = 1 + upTo(3); i > 0; i--) {
      kinds.add(SimUpstream.Kind.values()[upTo(SimUpstream.Kind.values().length)]);
    }
    PoolOptions pool =
        new PoolOptions(
            "pool",
            Acknowledge.AUTO,
            oneIn(5) ? 0 : 1000 * MS,
            upTo(400),
            new PoolOptions.Moving(0, 10_000 * MS, 0, 2_000, false, false, false));
    Framing framing = isFramed ? new Framing.Line() : Framing.RAW;
    ListenerOptions listener =
        new ListenerOptions("listener", "pool", framing, 64, oneIn(3) ? 3000 * MS : 0);
    return new Shard(
        nowNs,
        new Shard.Identity(shards - 1, shards, 42, "node", "0"),
        limits,
        List.of(new Shard.PoolSetup(pool, this)),
        List.of(listener),
        this,
        this,
        this,
        budget,
        random.split());
  }

  // --- the run ---

  void run(int steps) {
    publish(0);
    for (int i = 0; i < steps; i++) {
      step();
      endStep();
    }
    healAndSettle();
  }

  private void step() {
    passTime(oneIn(300) ? upTo(4000) * MS : oneIn(20) ? upTo(200) * MS : upTo(2000) * 1000L);
    int what = upTo(20);
    if (what == 0 && clients.size() < CLIENTS_MAX && !isAcceptingPaused) {
      accept();
    } else if (what < 10 && !clients.isEmpty()) {
      clients.get(upTo(clients.size())).act();
    } else if (what < 19 && !lanes.isEmpty()) {
      lanes.get(upTo(lanes.size())).act();
    } else if (chance(faults.healthChanges() * 20)) {
      publish(3);
    }
  }

  private void passTime(long ns) {
    nowNs += ns;
    watchers.tell(watcher -> watcher.onTime(nowNs));
  }

  private void endStep() {
    if (shard.nextDeadlineNs() - nowNs <= 0) {
      shard.onDeadline(nowNs);
    }
    for (int turns = 0; isTurnEndRequested; turns++) {
      if (turns > 100) {
        throw new AssertionError("the turn does not end");
      }
      isTurnEndRequested = false;
      shard.onTurnEnd(nowNs);
    }
    ShardInspector.checkInvariants(shard);
    lanes.forEach(SimLane::tellMode);
    watchers.tell(watcher -> watcher.onStepEnd(budget.usedBytes()));
    lanes.removeIf(SimLane::isOver);
    clients.removeIf(SimClient::isOver);
  }

  private void accept() {
    long sequence = ++accepted * shards + shards - 1;
    SimClient client = new SimClient(this, sequence, isFramed);
    clients.add(client);
    watchers.tell(watcher -> watcher.onAccepted(sequence));
    client.connection(shard.onAccepted(nowNs, 1, "listener", client));
  }

  private void publish(int ratio) {
    List<UpstreamView> views = new ArrayList<>();
    for (int i = 0; i < kinds.size(); i++) {
      if (ratio == 0 || !oneIn(ratio)) {
        boolean isServing = ratio == 0 || !oneIn(ratio);
        views.add(
            new UpstreamView(
                "upstream:" + i, isServing, isServing ? "SERVING" : "NOT_SERVING", 1, Map.of()));
      }
    }
    shard.onPool(nowNs, new PoolSnapshot("pool", ++version, views));
  }

  /** Faults end: everything flows, goes quiet, and ends. */
  private void healAndSettle() {
    faults = Faults.none();
    publish(0);
    settleUntilQuiet();
    for (SimClient client : clients) {
      boolean isEchoed = lanes.stream().anyMatch(lane -> lane.isEchoing(client.sequence()));
      if (isEchoed && client.isOpen() && !spoilt.contains(client.sequence())) {
        client.checkEchoed();
      }
    }
    for (int round = 0; !clients.isEmpty() && round < HEAL_ROUNDS; round++) {
      clients.forEach(SimClient::end);
      settle(1);
    }
    if (!clients.isEmpty() || shard.connectionCount() > 0) {
      throw new AssertionError("rule 2 (windows): connections that do not end");
    }
    shard.stop(nowNs);
    endStep();
    watchers.memory().checkNothingHeld(budget.usedBytes());
    if (allocator.metric().usedHeapMemory() != 0) {
      throw new AssertionError("buffers leaked: " + allocator.metric().usedHeapMemory() + " bytes");
    }
  }

  private void settleUntilQuiet() {
    long before = -1;
    for (int i = 0, quietRounds = 0; i < HEAL_ROUNDS && quietRounds < QUIET_ROUNDS; i++) {
      settle(1);
      long now =
          watchers.order().progressBytes() + clients.stream().mapToLong(SimClient::progress).sum();
      quietRounds = now == before ? quietRounds + 1 : 0;
      before = now;
    }
  }

  private void settle(int rounds) {
    for (int i = 0; i < rounds; i++) {
      passTime(25 * MS);
      for (SimClient client : List.copyOf(clients)) {
        client.heal();
      }
      List.copyOf(lanes).forEach(SimLane::heal);
      endStep();
    }
  }

  // --- what the shard needs ---

  @Override
  public void requestTurnEnd() {
    isTurnEndRequested = true;
  }

  @Override
  public void requestDeadline(long deadlineNs) {}

  @Override
  public LaneTransport connect(Lane lane) {
    int upstream = Integer.parseInt(lane.upstream().address().substring("upstream:".length()));
    SimLane transport = new SimLane(this, lane, ++lanesOpened, kinds.get(upstream));
    lanes.add(transport);
    return transport;
  }

  @Override
  public void pauseAccepting() {
    accepting(true);
  }

  @Override
  public void resumeAccepting() {
    accepting(false);
  }

  private void accepting(boolean isPaused) {
    isAcceptingPaused = isPaused;
    watchers.tell(watcher -> watcher.onAccepting(isPaused));
  }

  @Override
  public Candidate choose(List<? extends Candidate> candidates, String clientHost, Mark mark) {
    return candidates.get(upTo(candidates.size()));
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
  public void forgetUpstream(String pool, String upstream) {}

  @Override
  public void onConnectionOpened(Mark mark, String listener, String clientAddress) {}

  @Override
  public void onConnectionAttached(Mark mark, String pool, String upstream, int epoch) {}

  @Override
  public void onConnectionClosed(ConnectionSummary summary) {
    summaries.add(summary);
  }

  @Override
  public void onLaneOpen(String pool, String upstream) {}

  @Override
  public void onLaneBroken(String pool, String upstream, String cause, int connections) {}

  @Override
  public void onUpstreamSuspect(String pool, String upstream, Suspicion why) {}

  @Override
  public void onLaneRefused(String pool, String upstream, String cause) {}

  @Override
  public void onUpstreamDraining(String pool, String upstream) {}

  @Override
  public void onOverBudget(long usedBytes, long budgetBytes) {}

  @Override
  public void onUnderBudget(long usedBytes, long budgetBytes) {}

  // --- for clients and lanes ---

  /** An owner of this connection was no honest echo: what comes back need not be what was sent. */
  void spoil(long connection) {
    spoilt.add(connection);
  }

  long nowNs() {
    return nowNs;
  }

  Faults faults() {
    return faults;
  }

  Watchers watchers() {
    return watchers;
  }

  ByteBuf buffer(int bytes) {
    return allocator.heapBuffer(Math.max(1, bytes));
  }

  int upTo(int bound) {
    return bound <= 1 ? 0 : random.nextInt(bound);
  }

  boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  boolean chance(int ofTenThousand) {
    return ofTenThousand > 0 && random.nextInt(10_000) < ofTenThousand;
  }

  int askedWindowBytes() {
    return oneIn(2) ? 0 : 20 + upTo(2 * limits.windowBytes());
  }

  /** Whether the defect strikes here: once, somewhere. */
  boolean isMutated(Mutation candidate) {
    boolean strikes = mutation == candidate && !hasMutated && oneIn(5);
    hasMutated |= strikes;
    return strikes;
  }

  boolean isEverMutated(Mutation candidate) {
    return mutation == candidate;
  }

  /** How each connection ended. */
  List<ConnectionSummary> summaries() {
    return summaries;
  }

  @Override
  public String toString() {
    StringBuilder text =
        new StringBuilder(
            "now " + nowNs + ", held " + budget.usedBytes() + ", " + limits + ", " + faults);
    clients.forEach(client -> text.append("\n  ").append(client));
    lanes.forEach(lane -> text.append("\n  ").append(lane));
    return text.toString();
  }
}
