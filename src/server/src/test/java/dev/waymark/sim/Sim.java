package dev.waymark.sim;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.pool.PoisonQuarantine;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.engine.shard.MemoryBudget;
import dev.waymark.protocol.CloseReason.Origin;
import dev.waymark.sim.checkers.Ledger;
import dev.waymark.sim.history.History;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One run of a simulated world around the shards of one bridge, on one thread. The {@link Plan}
 * determines every step of it.
 *
 * <p>In each step time passes, and then upstreams, clients and lanes chosen at random act while
 * {@link Fault}s strike. After the plan's steps either all faults stop, and every connection has to
 * get served, become quiet and close; or the bridge stops while traffic is under way. In the end
 * nothing may be left: no connection, no held memory, no leaked buffer.
 */
final class Sim {
  static final long INSTANCE = 42;
  private static final long MS = 1_000_000L;
  private static final int CLIENTS_MAX = 24;

  /** In steps up to this long, tasks from other threads may stay queued at a shard. */
  private static final long SHORT_NS_MAX = 5 * MS;

  /** How often tasks of one shard may create tasks for another before it counts as a livelock. */
  private static final int ROUNDS_MAX = 100;

  private static final int HEAL_ROUNDS = 3000;

  /**
   * Without progress, and without a connection that waits for an owner, for this many rounds of 75
   * ms, the world is quiet: longer than the wait for Settings.
   */
  private static final int QUIET_ROUNDS = 60;

  /** Checking the invariants costs as much as a step. */
  private static final int INVARIANTS_EVERY = 4;

  /** Deadlines fire in ticks of 100 ms, and most steps take up to 200 ms. */
  private static final long DRAIN_LATE_NS = 500 * MS;

  private static final int DRAIN_STEPS_MAX = 3000;

  /** Rounds of 300 ms: longer than the longest back-off. */
  private static final int PATIENCE_ROUNDS = 20;

  private final Plan plan;
  private final Dice dice;

  /** Each fault has its own dice, so that removing one leaves the others unchanged. */
  private final Map<Fault, Dice> faultDice = new EnumMap<>(Fault.class);

  private final SimSetup setup;
  private final Mutations mutations;
  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);
  private final MemoryBudget budget;
  private final Watchers watchers;
  private final History history = new History();
  private final SimEvents events = new SimEvents(this::onOutlierSignal);
  private final SimFleet fleet;
  private final SimBalancer balancer;
  private final List<SimClient> clients = new ArrayList<>();
  private final List<SimShard> shards = new ArrayList<>();
  private final List<SdkLane> sdkLanes = new ArrayList<>();
  private final Set<Integer> pausedShards = new HashSet<>();
  private final Set<Long> notEchoed = new HashSet<>();
  private final Set<Long> poison = new HashSet<>();
  private final SimTime time;
  private Faults faults;
  private int lanesOpened;
  private int pushes;
  private int endsChecked;
  private int stepsDone;
  private int turnCount;
  private boolean isStepLong;

  Sim(Plan plan, Mutation mutation) {
    this.plan = plan;
    this.dice = new Dice(plan.seed());
    this.faults = plan.faults();
    this.setup = SimSetup.of(plan, dice.split());
    for (Fault fault : Fault.values()) {
      faultDice.put(fault, dice.split());
    }
    this.budget = new MemoryBudget(setup.limits().memoryBudgetBytes());
    this.watchers = new Watchers(setup, isPoisonOnly());
    this.mutations = new Mutations(this, mutation);
    this.time =
        new SimTime(dice.any(), mutation == Mutation.CHARGE_STANDSTILLS, this::onStandstill);
    this.fleet = new SimFleet(this, dice, setup);
    this.balancer = new SimBalancer(dice);
    PoolSetup pool =
        new PoolSetup(mutations.options(setup.pool()), balancer, new PoisonQuarantine(time::nowNs));
    for (int index = 0; index < setup.shards(); index++) {
      shards.add(new SimShard(this, index, setup, pool, events, budget, dice.split()));
    }
  }

  /** Returns a run with muted rule checkers: only the end-to-end check can fail it. */
  static Sim withHistoryAlone(Plan plan, Mutation mutation) {
    Sim sim = new Sim(plan, mutation);
    sim.watchers.mute();
    return sim;
  }

  // --- the run ---

  void run() {
    try {
      live();
    } finally {
      sdkLanes.forEach(SdkLane::dispose);
    }
  }

  private void live() {
    passTime(0);
    shards.forEach(SimShard::start);
    fleet.start();
    while (stepsDone < plan.steps()) {
      stepsDone++;
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
    if (strikes(Fault.STANDSTILL)) {
      standStill();
    } else {
      passTime(
          dice.oneIn(300)
              ? dice.upTo(4000) * MS
              : dice.oneIn(20) ? dice.upTo(200) * MS : dice.upTo(2000) * 1000L);
    }
    fleet.act();
    for (int i = 0; i < shards.size(); i++) {
      act();
    }
  }

  private void act() {
    int what = dice.upTo(20);
    List<SimLane> lanes = lanes();
    if (what == 0 && canAccept()) {
      accept();
    } else if (what < 10 && !clients.isEmpty()) {
      clients.get(dice.upTo(clients.size())).act();
    } else if (!lanes.isEmpty()) {
      lanes.get(dice.upTo(lanes.size())).act();
    }
  }

  private boolean canAccept() {
    return clients.size() < CLIENTS_MAX
        && acceptedCount() < plan.connectionsMax()
        && pausedShards.isEmpty();
  }

  /** Before and after a long step, the shards run all their tasks. */
  private void passTime(long ns) {
    isStepLong = ns > SHORT_NS_MAX;
    if (isStepLong) {
      finishTasks();
    }
    time.pass(ns);
    watchers.tell(watcher -> watcher.onTime(time.awakeNs()));
  }

  private void finishTasks() {
    for (int rounds = 0; shards.stream().anyMatch(SimShard::hasTasks); rounds++) {
      if (rounds > ROUNDS_MAX) {
        throw new AssertionError("liveness: the shards create tasks for each other without end");
      }
      shards.forEach(shard -> shard.runTasks(Integer.MAX_VALUE));
      shards.forEach(SimShard::endTurn);
    }
  }

  /** The bridge stands still while its upstreams keep running. */
  private void standStill() {
    mark("bridge stands still");
    for (int i = dice.upTo(10); i > 0; i--) {
      lanes().forEach(SimLane::workDuringStandstill);
    }
    time.standStill((1000 + dice.upTo(60_000)) * MS);
    watchers.tell(watcher -> watcher.onTime(time.awakeNs()));
  }

  private void onStandstill(long forNs) {
    shards.forEach(shard -> shard.onStandstill(forNs));
  }

  private void endStep() {
    boolean isDeadlineTime = time.isDeadlineTime();
    shards.forEach(shard -> shard.onTimer(isDeadlineTime));
    shards.forEach(shard -> shard.runTasks(dice.upTo(4)));
    shards.forEach(SimShard::endTurn);
    if (isStepLong) {
      finishTasks();
    }
    if (++turnCount % INVARIANTS_EVERY == 0 && !watchers.isMute()) {
      shards.forEach(SimShard::checkInvariants);
    }
    lanes().forEach(SimLane::reportMode);
    for (SimShard shard : shards) {
      if (shard.lanes().stream().anyMatch(this::isServing)) {
        watchers.tell(watcher -> watcher.onServing(shard.index()));
      }
    }
    watchers.tell(watcher -> watcher.onStepEnd(budget.usedBytes()));
    shards.forEach(SimShard::forgetLanes);
    clients.removeIf(SimClient::isOver);
  }

  private void accept() {
    clients.add(shards.get(dice.upTo(shards.size())).accept(setup.isFramed()));
  }

  /** Stops all faults: everything has to make progress, become quiet, and close. */
  private void healAndSettle() {
    faults = Faults.none();
    poison.clear();
    fleet.heal();
    settleUntilQuiet();
    checkQuiet();
    for (int i = 0; i < PATIENCE_ROUNDS; i++) {
      settle(300);
    }
    if (!watchers.isMute()) {
      checkPatience();
      clients.forEach(this::checkEchoed);
    }
    for (int round = 0; !clients.isEmpty() && round < HEAL_ROUNDS; round++) {
      clients.forEach(SimClient::end);
      settle(25);
    }
    shards.forEach(SimShard::stop);
    endStep();
  }

  private void checkQuiet() {
    if (!watchers.isMute()) {
      clients.forEach(this::checkCredit);
      clients.forEach(this::checkEchoed);
    }
  }

  /** Stops the bridge while traffic is under way, at once or after a drain. */
  private void stopAtOnce() {
    mark("bridge stops under load");
    if (dice.oneIn(2)) {
      drain();
    }
    shards.forEach(SimShard::stop);
    endStep();
    shards.forEach(SimShard::abandon);
    for (int i = 0; !clients.isEmpty() && i < HEAL_ROUNDS; i++) {
      settle(25);
    }
  }

  /** Drains the bridge: connections with a limited age have to end within its timeout. */
  private void drain() {
    mark("bridge drains");
    long timeoutNs = (1 + dice.upTo(3000)) * MS;
    watchers.tell(watcher -> watcher.onDrain(timeoutNs));
    shards.forEach(shard -> shard.onDrain(timeoutNs));
    long endNs = time.awakeNs() + timeoutNs + DRAIN_LATE_NS;
    for (int i = 0; time.awakeNs() - endNs < 0 && i < DRAIN_STEPS_MAX; i++) {
      step();
      endStep();
    }
  }

  private void checkNothingLeft() {
    if (!clients.isEmpty() || shards.stream().anyMatch(shard -> shard.connectionCount() > 0)) {
      throw new AssertionError("liveness: connections do not end");
    }
    if (balancer.attached() != 0) {
      throw new AssertionError("the balancer still counts " + balancer.attached() + " connections");
    }
    history.check();
    if (watchers.isMute()) {
      return;
    }
    watchers.memory().checkNothingHeld(budget.usedBytes());
    watchers.replay().checkReplayed(events.counters().total(Counter.REPLAYED_BYTES));
    if (allocator.metric().usedHeapMemory() != 0) {
      throw new AssertionError("buffers leaked: " + allocator.metric().usedHeapMemory() + " bytes");
    }
  }

  private void checkCredit(SimClient client) {
    if (client.isOpen() && watchers.ledger().isLive(client.sequence())) {
      mark("credit checked when quiet");
      watchers
          .windows()
          .checkCredit(
              client.sequence(), client.takenReplyBytes(), setup.limits().replyWindowBytes());
    }
  }

  /** A client of an honest upstream has got back everything that it sent. */
  private void checkEchoed(SimClient client) {
    boolean isEchoed = lanes().stream().anyMatch(lane -> lane.isEchoing(client.sequence()));
    if (isEchoed && client.isOpen() && !notEchoed.contains(client.sequence())) {
      client.checkEchoed();
    }
  }

  /**
   * Every live connection has an owner, and no connection stays on a draining upstream while
   * another is eligible.
   */
  private void checkPatience() {
    Ledger ledger = watchers.ledger();
    for (long connection : ledger.connections()) {
      int lane = ledger.lane(connection);
      // A suspect may wait for probation; PendingStates bounds how long.
      boolean isSuspect = watchers.replay().isSuspect(connection);
      if (ledger.isLive(connection) && lane == -1 && !isSuspect) {
        throw new AssertionError("liveness: connection " + connection + " has no owner");
      }
      boolean canMove = ledger.isAcknowledging(lane) && !ledger.isPinned(lane);
      boolean mustMove = canMove && watchers.owners().mustDrain(lane);
      boolean isAnyEligible = home(connection).lanes().stream().anyMatch(this::isEligible);
      if (mustMove && isAnyEligible && fleet.options().moving().movesPerSecond() > 100) {
        throw new AssertionError(
            "liveness: connection " + connection + " stays on draining lane " + lane);
      }
    }
  }

  /** Whether the bridge can attach connections to this lane right now. */
  private boolean isServing(SimLane lane) {
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
      // A suspect may wait longer for probation, and has everything left to do afterwards.
      boolean isAnyWaiting = clients.stream().anyMatch(SimClient::isWaiting);
      quietRounds = now == before && !isAnyWaiting ? quietRounds + 1 : 0;
      before = now;
    }
  }

  private void settle(int ms) {
    passTime(ms * MS);
    for (SimClient client : List.copyOf(clients)) {
      client.heal();
    }
    lanes().forEach(SimLane::heal);
    fleet.control();
    endStep();
  }

  // --- for the shards ---

  SimLane newLane(SimShard shard, Lane lane) {
    SimProcess process = fleet.at(lane.upstream().address());
    SimLane transport = new SimLane(this, lane, ++lanesOpened, process);
    watchers.tell(watcher -> watcher.onConnect(lanesOpened, shard.index(), process.number()));
    return transport;
  }

  void onAccepted(long connection) {
    if (strikes(Fault.POISON)) {
      poison.add(connection);
    }
    history.accepted(connection);
    watchers.tell(watcher -> watcher.onAccepted(connection));
  }

  void onAccepting(SimShard shard, boolean isPaused) {
    if (isPaused) {
      pausedShards.add(shard.index());
    } else {
      pausedShards.remove(shard.index());
    }
    watchers.tell(watcher -> watcher.onAccepting(shard.index(), isPaused));
  }

  // --- for clients, lanes and upstreams ---

  /** Reloads the options of the pool, and of the listener for new connections. */
  void configure(PoolOptions pool) {
    ListenerOptions listener = setup.reloadedListener(dice);
    shards.forEach(shard -> shard.configure(mutations.options(pool), listener));
  }

  /** Registers a lane whose buffers are released when the run ends, however it ends. */
  void disposeAtEnd(SdkLane lane) {
    sdkLanes.add(lane);
  }

  /** Reports that the health service of an upstream floods the bridge. */
  void flood(String upstream) {
    events.onOutlierSignal("pool", upstream, OutlierSignal.HEALTH_FLOOD);
  }

  private void onOutlierSignal(String upstream, OutlierSignal why) {
    fleet.onOutlierSignal(upstream, why);
  }

  void publish(PoolSnapshot snapshot) {
    shards.forEach(shard -> shard.publish(snapshot));
  }

  /** Records that an owner was no honest echo: replies need not equal what the client sent. */
  void expectNoEcho(long connection) {
    notEchoed.add(connection);
  }

  /** Whether the bytes of this client kill its upstream. */
  boolean isPoison(long connection) {
    return poison.contains(connection);
  }

  /** Checks the end that the bridge has logged for this connection; its socket is closed. */
  void checkEnd(long connection) {
    ConnectionSummary summary = events.summaries().get(endsChecked++);
    history.logged(connection, summary.reason().name());
    if (watchers.isMute()) {
      return;
    }
    watchers.replay().checkEnd(connection, summary.reason());
    if (summary.endedBy() != Origin.UPSTREAM) {
      watchers.innocents().checkEnd(connection, summary.reason());
    }
    watchers.standstills().checkEnd(connection, summary);
    watchers.ages().checkEnd(connection, summary);
  }

  /** Returns the lane with this number, or null if it is over. */
  SimLane lane(int number) {
    return lanes().stream().filter(lane -> lane.number() == number).findAny().orElse(null);
  }

  /** Returns a copy of the lanes of all shards. */
  private List<SimLane> lanes() {
    List<SimLane> all = new ArrayList<>();
    shards.forEach(shard -> all.addAll(shard.lanes()));
    return all;
  }

  private SimShard home(long connection) {
    return shard((int) (connection % setup.shards()));
  }

  SimShard shard(int index) {
    return shards.get(index);
  }

  List<SimShard> shards() {
    return shards;
  }

  int upstreamCount() {
    return fleet.size();
  }

  /** The memory that the shards have reported as held. */
  long heldBytes() {
    return budget.usedBytes();
  }

  /** How many of the client's bytes have been sent to any upstream. */
  long everSent(long connection) {
    return watchers.order().everSent(connection);
  }

  /** Returns the sequence of a connection that exists, existed, or may exist later. */
  long anyConnection() {
    if (!clients.isEmpty() && !dice.oneIn(4)) {
      return clients.get(dice.upTo(clients.size())).sequence();
    }
    SimShard home = shards.get(dice.upTo(shards.size()));
    return (1L + dice.upTo((int) home.accepted() + 1)) * setup.shards() + home.index();
  }

  /** Returns a number for a new push. */
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

  /** Rolls the dice of this fault: whether it strikes now. */
  boolean strikes(Fault fault) {
    return strikes(fault, 1);
  }

  /** Like {@link #strikes(Fault)}, at a multiple of the usual rate. */
  boolean strikes(Fault fault, int times) {
    return faultDice.get(fault).chance(faults.rate(fault) * times);
  }

  /** Whether poison is the only way to lose an owner in this run. */
  boolean isPoisonOnly() {
    return faults.isPoisonOnly();
  }

  boolean isSettingsRequired() {
    return setup.isSettingsRequired();
  }

  /** What both ends of each connection have seen. */
  History history() {
    return history;
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

  /** Records that the run has reached one of {@link Marks#OF_THE_WORLD}. */
  void mark(String mark) {
    if (!Marks.OF_THE_WORLD.contains(mark)) {
      throw new IllegalArgumentException("unknown mark: " + mark);
    }
    events.see(mark);
  }

  /** How often each event was reported and each mark of the world was reached. */
  Map<String, Long> seen() {
    return events.seen();
  }

  /** What the control side has reported about the pool. */
  List<String> poolEvents() {
    return fleet.events();
  }

  /** The number of steps started. */
  int stepCount() {
    return stepsDone;
  }

  /** The number of clients accepted. */
  int acceptedCount() {
    return (int) shards.stream().mapToLong(SimShard::accepted).sum();
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
    lanes().forEach(lane -> text.append("\n  ").append(lane));
    return text.toString();
  }
}
