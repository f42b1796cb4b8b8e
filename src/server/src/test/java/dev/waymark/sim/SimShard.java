package dev.waymark.sim;

import dev.waymark.bridge.SimulatedMailbox;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.AgeOptions;
import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.engine.shard.MemoryBudget;
import dev.waymark.engine.shard.Shard;
import dev.waymark.engine.shard.ShardEnvironment;
import dev.waymark.engine.shard.ShardIdentity;
import dev.waymark.engine.shard.ShardInspector;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.sim.checkers.Ages;
import dev.waymark.sim.checkers.Deadlines;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An engine shard on a simulated event loop. As in production, the loop calls the shard only at the
 * deadline that the shard has requested, at the end of a turn that it has requested, and for tasks
 * from other threads.
 */
final class SimShard implements ShardEnvironment {
  private static final int TURNS_MAX = 100;

  private static final long DENIED_NS = 5_000_000_000L;

  private final Sim sim;
  private final int index;
  private final int count;
  private final PoolSetup pool;
  private final Shard shard;
  private final Deadlines deadlines = new Deadlines();
  private final List<SimLane> lanes = new ArrayList<>();
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private final SimulatedMailbox pushes = new SimulatedMailbox(() -> execute(this::takePushes));
  private long accepted;
  private boolean isRunning;
  private long timerNs;

  /** How much later than the truth the next deadline is reported; above 0 is a defect. */
  private long deniedNs;

  private boolean isTurnEndRequested;
  private boolean isAskedToFree;
  private @Nullable PoolSnapshot published;

  SimShard(
      Sim sim,
      int index,
      SimSetup setup,
      PoolSetup pool,
      SimEvents events,
      MemoryBudget budget,
      Dice dice) {
    this.sim = sim;
    this.pool = pool;
    this.index = index;
    this.count = setup.shards();
    this.shard =
        new Shard(
            sim.nowNs(),
            new ShardIdentity(index, count, Sim.INSTANCE, "node", "0"),
            setup.limits(),
            List.of(pool),
            List.of(setup.listener()),
            this,
            events,
            events,
            budget,
            dice.splitRandom());
  }

  // --- inputs ---

  /** Starts the loop. */
  void start() {
    isRunning = true;
    timerNs = nextDeadlineNs();
  }

  /** Accepts a new client. */
  SimClient accept(boolean isFramed) {
    long sequence = ++accepted * count + index;
    SimClient client = new SimClient(sim, sequence, isFramed);
    sim.onAccepted(sequence);
    client.connection(shard.onAccepted(sim.nowNs(), 1, "listener", client));
    return client;
  }

  /** Hands over a snapshot; it replaces one that is still queued. */
  void publish(PoolSnapshot snapshot) {
    boolean isFirst = published == null;
    published = snapshot;
    if (isFirst) {
      execute(this::takeSnapshot);
    }
  }

  private void takeSnapshot() {
    PoolSnapshot snapshot = Objects.requireNonNull(published);
    published = null;
    boolean isSubsetDrained =
        snapshot.upstreams().stream()
            .anyMatch(view -> view.isDraining() && view.subset().sharePercent() == 0);
    if (isSubsetDrained) {
      sim.mark("subset drained");
    }
    for (int i = 0; i < sim.upstreamCount(); i++) {
      int upstream = i;
      boolean isServing =
          snapshot.upstreams().stream()
              .anyMatch(view -> view.isServing() && SimFleet.number(view.address()) == upstream);
      boolean isDraining =
          snapshot.upstreams().stream()
              .allMatch(view -> view.isDraining() || SimFleet.number(view.address()) != upstream);
      sim.watchers().tell(watcher -> watcher.onView(index, upstream, isServing));
      sim.watchers().tell(watcher -> watcher.onDrainView(index, upstream, isDraining));
    }
    shard.onPool(sim.nowNs(), snapshot);
  }

  void configure(PoolOptions options, ListenerOptions listener) {
    execute(() -> {
      AgeOptions age = listener.age();
      Ages.Limit limit = new Ages.Limit(age.maxNs(), age.jitterPercent(), age.graceNs());
      sim.watchers().tell(watcher -> watcher.onReload(index, listener.idleTimeoutNs(), limit));
      PoolSetup changed = new PoolSetup(options, pool.balancer(), pool.quarantine());
      shard.onConfigured(sim.nowNs(), List.of(changed), List.of(listener));
    });
  }

  /** Queues a task from another thread. */
  void execute(Runnable task) {
    tasks.add(task);
  }

  boolean hasTasks() {
    return !tasks.isEmpty();
  }

  /** Runs at most this many of the queued tasks. */
  void runTasks(int most) {
    for (int left = Math.min(most, tasks.size()); left > 0; left--) {
      tasks.remove().run();
    }
  }

  void onStandstill(long forNs) {
    shard.onStandstill(forNs);
  }

  void onDrain(long timeoutNs) {
    shard.onDrain(sim.nowNs(), timeoutNs);
  }

  void stop() {
    shard.stop(sim.nowNs());
  }

  void abandon() {
    shard.abandon();
  }

  /** Fires the timer if it is due. */
  void onTimer(boolean isDeadlineTime) {
    if (timerNs - sim.nowNs() <= 0 && isDeadlineTime) {
      shard.onDeadline(sim.nowNs());
      deniedNs = 0;
      deadlines.onFired(sim.nowNs(), nextDeadlineNs());
      timerNs = nextDeadlineNs();
    }
  }

  /** Ends the turn, and the further turns that this requests. */
  void endTurn() {
    boolean isTurnEnding = isTurnEndRequested;
    for (int turns = 0; isTurnEndRequested; turns++) {
      if (turns > TURNS_MAX) {
        throw new AssertionError("the shard requests turn ends without end");
      }
      isTurnEndRequested = false;
      shard.onTurnEnd(sim.nowNs());
    }
    deadlines.check(timerNs, nextDeadlineNs());
    if (isTurnEnding) {
      sim.watchers().tell(watcher -> watcher.onTurnEnd(index, sim.heldBytes()));
    }
  }

  private long nextDeadlineNs() {
    return shard.nextDeadlineNs() + deniedNs;
  }

  // --- ShardEnvironment ---

  @Override
  public void requestTurnEnd() {
    isTurnEndRequested = true;
  }

  @Override
  public void requestDeadline(long deadlineNs) {
    if (!isRunning || sim.mutations().strikes(Mutation.DEADLINE_NOT_REQUESTED)) {
      return;
    }
    deadlines.onRequest(deadlineNs);
    deniedNs = sim.mutations().strikes(Mutation.DEADLINE_DENIED) ? DENIED_NS : deniedNs;
    if (deadlineNs - timerNs < 0) {
      timerNs = nextDeadlineNs();
    }
  }

  @Override
  public LaneTransport connect(Lane lane) {
    SimLane transport = sim.newLane(this, lane);
    lanes.add(transport);
    return sim.mutations().wrap(transport);
  }

  @Override
  public boolean forwardPush(
      int home, String pool, UpstreamControl.Push push, Consumer<PushResult> reply) {
    return sim.shard(home).pushes.offer(pool, push, result -> execute(() -> reply.accept(result)));
  }

  private void takePushes() {
    pushes.take((pool, push, reply) -> shard.onPush(sim.nowNs(), pool, push, reply));
  }

  @Override
  public void askOthersToFree() {
    sim.shards().stream().filter(other -> other != this).forEach(SimShard::askToFree);
  }

  private void askToFree() {
    if (!isAskedToFree) {
      isAskedToFree = true;
      execute(() -> {
        isAskedToFree = false;
        sim.mark("shard asked to free memory");
        shard.onMemoryAsked(sim.nowNs());
      });
    }
  }

  @Override
  public void pauseAccepting() {
    sim.onAccepting(this, true);
  }

  @Override
  public void resumeAccepting() {
    sim.onAccepting(this, false);
  }

  // --- for the simulation ---

  int index() {
    return index;
  }

  /** How many clients it has accepted. */
  long accepted() {
    return accepted;
  }

  int connectionCount() {
    return shard.connectionCount();
  }

  List<SimLane> lanes() {
    return lanes;
  }

  void forgetLanes() {
    lanes.removeIf(SimLane::isOver);
  }

  void checkInvariants() {
    sim.mutations().corrupt(shard);
    ShardInspector.checkInvariants(shard);
    ShardInspector.checkCounts(shard, lanes.stream().map(SimLane::lane).toList());
  }
}
