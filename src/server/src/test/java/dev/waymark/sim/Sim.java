package dev.waymark.sim;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.Counters;
import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.engine.pool.PoisonQuarantine;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.engine.shard.KeptEvents;
import dev.waymark.engine.shard.MemoryBudget;
import dev.waymark.engine.shard.Shard;
import dev.waymark.engine.shard.ShardEnvironment;
import dev.waymark.engine.shard.ShardIdentity;
import dev.waymark.engine.shard.ShardInspector;
import dev.waymark.protocol.CloseReason.Origin;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.sim.checkers.Ledger;
import dev.waymark.sim.checkers.Watcher;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** One run of a shard in a simulated world: everything follows from the seed. */
final class Sim implements ShardEnvironment {
  static final long INSTANCE = 42;
  private static final long MS = 1_000_000L;
  private static final int CLIENTS_MAX = 24;
  private static final int HEAL_ROUNDS = 3000;

  /** Longer than the waits for Settings, for an upstream, and for a lane of its own. */
  private static final int QUIET_ROUNDS = 60;

  /** They cost as much as the steps. */
  private static final int INVARIANTS_EVERY = 4;

  /** Longer than the longest back-off. */
  private static final int PATIENCE_ROUNDS = 20;

  private final Dice dice;
  private final SimSetup setup;
  private final Mutations mutations;
  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);
  private final MemoryBudget budget;
  private final Watchers watchers;
  private final KeptEvents events = new KeptEvents();
  private final SimFleet fleet;
  private final SimBalancer balancer;
  private final List<SimClient> clients = new ArrayList<>();
  private final List<SimLane> lanes = new ArrayList<>();
  private final Set<Long> spoilt = new HashSet<>();
  private final Set<Long> poison = new HashSet<>();
  private final Shard shard;
  private final SimTime time;
  private Faults faults;
  private long accepted;
  private int lanesOpened;
  private int pushes;
  private int endsChecked;
  private int stepCount;
  private boolean isTurnEndRequested;
  private boolean isAcceptingPaused;

  /**
   * @param faults null: chosen by the seed
   */
  Sim(long seed, Faults faults, Mutation mutation) {
    this.dice = new Dice(seed);
    this.faults = faults == null ? Faults.any(dice) : faults;
    this.setup = this.faults.isPoisonAlone() ? SimSetup.withPoison(dice) : SimSetup.any(dice);
    this.budget = new MemoryBudget(setup.limits().memoryBudgetBytes());
    this.watchers = new Watchers(setup, this.faults.isPoisonAlone());
    this.mutations = new Mutations(this, mutation);
    this.time =
        new SimTime(dice.any(), mutation == Mutation.CHARGE_STANDSTILLS, this::onStandstill);
    this.fleet = new SimFleet(this, dice, setup);
    this.balancer = new SimBalancer(dice);
    this.shard =
        new Shard(
            time.nowNs(),
            new ShardIdentity(setup.shards() - 1, setup.shards(), INSTANCE, "node", "0"),
            setup.limits(),
            List.of(
                new PoolSetup(
                    mutations.options(setup.pool()), balancer, new PoisonQuarantine(time::nowNs))),
            List.of(setup.listener()),
            this,
            events,
            events,
            budget,
            dice.split());
  }

  // --- the run ---

  void run(int steps) {
    passTime(0);
    fleet.publish();
    for (int i = 0; i < steps; i++) {
      step();
      endStep();
    }
    if (dice.oneIn(6)) {
      stopAtOnce();
    } else {
      healAndSettle();
    }
    checkNothingLeft();
  }

  private void step() {
    if (dice.chance(faults.standstills())) {
      standStill();
    } else {
      passTime(
          dice.oneIn(300)
              ? dice.upTo(4000) * MS
              : dice.oneIn(20) ? dice.upTo(200) * MS : dice.upTo(2000) * 1000L);
    }
    int what = dice.upTo(20);
    fleet.act();
    if (what == 0 && clients.size() < CLIENTS_MAX && !isAcceptingPaused) {
      accept();
    } else if (what < 10 && !clients.isEmpty()) {
      clients.get(dice.upTo(clients.size())).act();
    } else if (!lanes.isEmpty()) {
      lanes.get(dice.upTo(lanes.size())).act();
    }
  }

  private void passTime(long ns) {
    time.pass(ns);
    watchers.tell(watcher -> watcher.onTime(time.awakeNs()));
  }

  /** The bridge stands still while its upstreams go on. */
  private void standStill() {
    for (int i = dice.upTo(10); i > 0; i--) {
      List.copyOf(lanes).forEach(SimLane::workUnheard);
    }
    time.standStill((1000 + dice.upTo(60_000)) * MS);
    watchers.tell(watcher -> watcher.onTime(time.awakeNs()));
  }

  private void onStandstill(long forNs) {
    shard.onStandstill(forNs);
  }

  private void endStep() {
    if (shard.nextDeadlineNs() - nowNs() <= 0 && time.isDeadlineTime()) {
      shard.onDeadline(nowNs());
    }
    for (int turns = 0; isTurnEndRequested; turns++) {
      if (turns > 100) {
        throw new AssertionError("the turn does not end");
      }
      isTurnEndRequested = false;
      shard.onTurnEnd(nowNs());
    }
    if (++stepCount % INVARIANTS_EVERY == 0) {
      mutations.corrupt(shard);
      ShardInspector.checkInvariants(shard);
      ShardInspector.checkCounts(shard, lanes.stream().map(SimLane::lane).toList());
    }
    lanes.forEach(SimLane::tellMode);
    if (lanes.stream().anyMatch(this::isTaking)) {
      watchers.tell(Watcher::onServing);
    }
    watchers.tell(watcher -> watcher.onStepEnd(budget.usedBytes()));
    lanes.removeIf(SimLane::isOver);
    clients.removeIf(SimClient::isOver);
  }

  private void accept() {
    long sequence = ++accepted * setup.shards() + setup.shards() - 1;
    SimClient client = new SimClient(this, sequence, setup.isFramed());
    clients.add(client);
    if (dice.chance(faults.poisons())) {
      poison.add(sequence);
    }
    watchers.tell(watcher -> watcher.onAccepted(sequence));
    client.connection(shard.onAccepted(nowNs(), 1, "listener", client));
  }

  /** Faults end: everything flows, goes quiet, and ends. */
  private void healAndSettle() {
    faults = Faults.none();
    poison.clear();
    fleet.heal();
    settleUntilQuiet();
    clients.forEach(this::checkEchoed);
    for (int i = 0; i < PATIENCE_ROUNDS; i++) {
      settle(300);
    }
    checkPatience();
    clients.forEach(this::checkEchoed);
    for (int round = 0; !clients.isEmpty() && round < HEAL_ROUNDS; round++) {
      clients.forEach(SimClient::end);
      settle(25);
    }
    shard.stop(nowNs());
    endStep();
  }

  /** The bridge ends in the middle of it all. */
  private void stopAtOnce() {
    shard.stop(nowNs());
    endStep();
    shard.abandon();
    for (int i = 0; !clients.isEmpty() && i < HEAL_ROUNDS; i++) {
      settle(25);
    }
  }

  private void checkNothingLeft() {
    if (!clients.isEmpty() || shard.connectionCount() > 0) {
      throw new AssertionError("liveness: connections that do not end");
    }
    if (balancer.attached() != 0) {
      throw new AssertionError("the balancer counts " + balancer.attached() + " for nothing");
    }
    watchers.memory().checkNothingHeld(budget.usedBytes());
    watchers.replay().checkReplayed(events.counters().total(Counter.REPLAYED_BYTES));
    if (allocator.metric().usedHeapMemory() != 0) {
      throw new AssertionError("buffers leaked: " + allocator.metric().usedHeapMemory() + " bytes");
    }
  }

  /** Whom an honest upstream serves has got back all that it sent. */
  private void checkEchoed(SimClient client) {
    boolean isEchoed = lanes.stream().anyMatch(lane -> lane.isEchoing(client.sequence()));
    if (isEchoed && client.isOpen() && !spoilt.contains(client.sequence())) {
      client.checkEchoed();
    }
  }

  /** Each has an owner or has ended; those that drain have none left where there are others. */
  private void checkPatience() {
    Ledger ledger = watchers.ledger();
    boolean isAnyEligible = lanes.stream().anyMatch(this::isEligible);
    for (long connection : ledger.connections()) {
      int lane = ledger.lane(connection);
      if (ledger.isLive(connection) && lane == -1) {
        throw new AssertionError("liveness: nobody serves " + connection);
      }
      boolean isToLeave = ledger.isAcknowledging(lane) && !watchers.owners().isEligible(lane);
      if (isToLeave && isAnyEligible && setup.moving().movesPerSecond() > 100) {
        throw new AssertionError("liveness: " + connection + " stays on lane " + lane);
      }
    }
  }

  /** The bridge has all that it needs to give connections to this lane. */
  private boolean isTaking(SimLane lane) {
    return isEligible(lane) && watchers.ledger().isAcknowledging(lane.number());
  }

  private boolean isEligible(SimLane lane) {
    return lane.isOpen() && watchers.owners().isEligible(lane.number());
  }

  private void settleUntilQuiet() {
    long before = -1;
    for (int i = 0, quietRounds = 0; i < HEAL_ROUNDS && quietRounds < QUIET_ROUNDS; i++) {
      settle(75);
      long now =
          watchers.order().progressBytes() + clients.stream().mapToLong(SimClient::progress).sum();
      quietRounds = now == before ? quietRounds + 1 : 0;
      before = now;
    }
  }

  private void settle(int ms) {
    passTime(ms * MS);
    for (SimClient client : List.copyOf(clients)) {
      client.heal();
    }
    List.copyOf(lanes).forEach(SimLane::heal);
    endStep();
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
    SimProcess process = fleet.at(lane.upstream().address());
    SimLane transport = new SimLane(this, lane, ++lanesOpened, process);
    lanes.add(transport);
    watchers.tell(watcher -> watcher.onConnect(lanesOpened, process.number()));
    return mutations.between(transport);
  }

  @Override
  public boolean forwardPush(
      int shard, String pool, UpstreamControl.Push push, Consumer<PushResult> reply) {
    return false;
  }

  @Override
  public void askOthersToFree() {}

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

  // --- for clients, lanes and upstreams ---

  void told(PoolSnapshot snapshot) {
    shard.onPool(nowNs(), snapshot);
  }

  /** An owner of this connection was no honest echo: what comes back need not be what was sent. */
  void spoil(long connection) {
    spoilt.add(connection);
  }

  /** What this client sends kills its upstream. */
  boolean isPoison(long connection) {
    return poison.contains(connection);
  }

  /** The socket is closed, and the bridge has said why. */
  void ended(long connection) {
    ConnectionSummary summary = events.summaries().get(endsChecked++);
    watchers.replay().checkEnd(connection, summary.reason());
    if (summary.endedBy() != Origin.UPSTREAM) {
      watchers.innocents().checkEnd(connection, summary.reason());
    }
    watchers.ownPauses().checkEnd(connection, summary);
  }

  /** Null: it is over. */
  SimLane lane(int number) {
    return lanes.stream().filter(lane -> lane.number() == number).findAny().orElse(null);
  }

  /** So many bytes of the client have been sent to anybody. */
  long everSent(long connection) {
    return watchers.order().everSent(connection);
  }

  /** One that is there, was, or will be. */
  long anyConnection() {
    if (!clients.isEmpty() && !dice.oneIn(4)) {
      return clients.get(dice.upTo(clients.size())).sequence();
    }
    return (1L + dice.upTo((int) accepted + 1)) * setup.shards() + setup.shards() - 1;
  }

  /** The number of the next push. */
  int nextPush() {
    return ++pushes;
  }

  Dice dice() {
    return dice;
  }

  Mutations mutations() {
    return mutations;
  }

  long nowNs() {
    return time.nowNs();
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

  int askedWindowBytes() {
    return dice.oneIn(2) ? 0 : 20 + dice.upTo(2 * setup.limits().windowBytes());
  }

  /** How each connection ended. */
  List<ConnectionSummary> summaries() {
    return events.summaries();
  }

  Counters counters() {
    return events.counters();
  }

  @Override
  public String toString() {
    StringBuilder text =
        new StringBuilder(
            "now " + nowNs() + ", held " + budget.usedBytes() + ", " + setup + ", " + faults);
    text.append("\n  ").append(fleet);
    clients.forEach(client -> text.append("\n  ").append(client));
    lanes.forEach(lane -> text.append("\n  ").append(lane));
    return text.toString();
  }
}
