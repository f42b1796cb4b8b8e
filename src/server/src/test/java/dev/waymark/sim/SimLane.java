package dev.waymark.sim;

import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.engine.shard.ShardInspector;
import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.codec.BridgeBatchWriter;
import dev.waymark.sim.checkers.Ledger;
import dev.waymark.sim.checkers.Watcher;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A simulated Attach call: the engine's {@link LaneTransport}, the frames in flight in both
 * directions, and the upstream's end. Either side may end it before the other learns of that.
 */
final class SimLane implements LaneTransport {
  private static final int FRAME_BYTES = 10;

  private static final String NO_SETTINGS = "no Settings";

  /** The causes with which the bridge cancels a lane after a timeout. */
  private static final Set<String> TIMEOUTS =
      Set.of("silent", "not established in time", NO_SETTINGS);

  /** How long an upstream keeps using a call that the bridge has ended. */
  private static final int ZOMBIE_ACTS_MAX = 40;

  private enum Phase {
    CONNECTING,
    OPEN,
    /** The upstream has died; the bridge has not noticed yet. */
    ORPHAN,
    /** The bridge has ended the call; the upstream has not noticed yet, and sends late frames. */
    ZOMBIE,
    GONE
  }

  private final Sim sim;
  private final Dice dice;
  private final Lane lane;
  private final int number;
  private final SimProcess process;
  private final SimUpstream upstream;
  private @Nullable SdkLane sdk;
  private final List<Runnable> gathered = new ArrayList<>();
  private final ArrayDeque<Runnable> toUpstream = new ArrayDeque<>();
  private final SimDelivery toBridge;
  private Phase phase = Phase.CONNECTING;
  private int gatheredBytes;
  private boolean isStalled;
  private boolean isPartitioned;
  private boolean isAtMostOnceReported;
  private int zombieActs;

  SimLane(Sim sim, Lane lane, int number, SimProcess process) {
    this.sim = sim;
    this.dice = sim.dice();
    this.lane = lane;
    this.number = number;
    this.process = process;
    this.toBridge = new SimDelivery(sim, this);
    this.upstream = new SimUpstream(sim, this, process);
    process.addLane(this);
  }

  // --- actions ---

  void act() {
    switch (phase) {
      case CONNECTING -> connect();
      case OPEN -> work();
      case ORPHAN -> {
        toBridge.deliver(dice.upTo(3));
        if (phase == Phase.ORPHAN && dice.oneIn(4)) {
          breakLane();
        }
      }
      case ZOMBIE -> haunt();
      case GONE -> {}
    }
  }

  private void connect() {
    if (!process.isUp() && dice.oneIn(4)) {
      breakLane();
    } else if (process.isUp() && dice.oneIn(4)) {
      establish();
    }
  }

  private void establish() {
    phase = Phase.OPEN;
    if (process.kind().isOnSdk()) {
      sdk = new SdkLane(sim, this, process.sdk(sim));
      sim.disposeAtEnd(sdk);
      sdk.start();
    }
    lane.onReady(sim.nowNs());
    lane.onAccepted();
  }

  /** The upstream's end. */
  private LaneEnd end() {
    return sdk == null ? upstream : sdk;
  }

  private void work() {
    if (isPartitioned) {
      isPartitioned = !dice.oneIn(200);
    } else if (sim.strikes(Fault.LANE_BREAK)) {
      breakLane();
    } else if (sim.strikes(Fault.PARTITION)) {
      isPartitioned = true;
    } else {
      if (sim.strikes(Fault.GO_AWAY)) {
        lane.onGoAway();
      }
      if (isStalled && dice.oneIn(5)) {
        isStalled = false;
        lane.onReady(sim.nowNs());
      }
      if (!process.isFrozen()) {
        receive(1 + dice.upTo(4));
        // A received frame may have killed the process.
        if (phase == Phase.OPEN) {
          end().act();
        }
      }
      toBridge.deliver(1 + dice.upTo(4));
    }
  }

  /** Lets the upstream act while the bridge stands still: its frames queue up. */
  void workDuringStandstill() {
    if (phase == Phase.OPEN && !isPartitioned && !process.isFrozen()) {
      receive(1 + dice.upTo(4));
      if (phase == Phase.OPEN) {
        end().act();
      }
    }
  }

  private void haunt() {
    receive(dice.upTo(3));
    if (phase == Phase.ZOMBIE) {
      end().act();
      toBridge.deliver(dice.upTo(3));
    }
    if (--zombieActs <= 0) {
      gone();
    }
  }

  /** The upstream process has ended. */
  void orphan() {
    toUpstream.clear();
    if (sdk != null && !sdk.isBusy()) {
      sdk.cancel();
    }
    if (phase == Phase.OPEN) {
      phase = Phase.ORPHAN;
    } else if (phase == Phase.ZOMBIE) {
      gone();
    }
  }

  /** Delivers everything in flight, and completes the work of the upstream. */
  void heal() {
    isPartitioned = false;
    switch (phase) {
      case CONNECTING -> {
        establish();
      }
      case OPEN -> {
        if (isStalled) {
          isStalled = false;
          lane.onReady(sim.nowNs());
        }
        receive(Integer.MAX_VALUE);
        end().heal();
        toBridge.deliver(Integer.MAX_VALUE);
      }
      case ORPHAN -> breakLane();
      case ZOMBIE -> gone();
      case GONE -> {}
    }
  }

  /** Reports, once, that the bridge treats the lane as at-most-once. */
  void reportMode() {
    if (!isAtMostOnceReported && ShardInspector.isAtMostOnce(lane)) {
      isAtMostOnceReported = true;
      sim.watchers().tell(watcher -> watcher.onAtMostOnce(number));
      sim.history().atMostOnce(number);
    }
  }

  private void breakLane() {
    endForBridge();
    gone();
    lane.onEnded(sim.nowNs(), "simulated");
  }

  /** Ends the lane for the bridge; the upstream may not notice for a while. */
  private void endForBridge() {
    Ledger ledger = sim.watchers().ledger();
    if (ledger.isPinned(number)
        && ledger.connections().stream().anyMatch(each -> ledger.lane(each) == number)) {
      sim.mark("pinned connection lost");
    }
    if (phase != Phase.ZOMBIE && phase != Phase.GONE) {
      reportMode();
      sim.watchers().tell(watcher -> watcher.onLaneEnd(number));
      gathered.clear();
      if (sdk != null) {
        sdk.dropBatch();
      }
      zombieActs = dice.upTo(ZOMBIE_ACTS_MAX);
      boolean isUpstreamUnaware = phase == Phase.OPEN && zombieActs > 0;
      phase = Phase.ZOMBIE;
      if (!isUpstreamUnaware) {
        gone();
      }
    }
  }

  private void gone() {
    phase = Phase.GONE;
    process.removeLane(this);
    if (sdk != null && !sdk.isBusy()) {
      sdk.cancel();
    }
    toUpstream.clear();
    toBridge.clear();
  }

  private void receive(int most) {
    for (int i = 0; i < most && !toUpstream.isEmpty() && canReceive(); i++) {
      toUpstream.remove().run();
    }
  }

  private boolean canReceive() {
    return sdk == null || sdk.isReading();
  }

  /** Sends an encoded batch of the SDK to the bridge. */
  void send(byte[] batch) {
    toBridge.add(batch);
  }

  /** Returns the SDK's end, or null if the upstream is scripted or the lane not yet open. */
  @Nullable SdkLane sdk() {
    return sdk;
  }

  void send(SimDelivery.Reply reply) {
    toBridge.add(reply);
  }

  void send(UpstreamControl control) {
    toBridge.add(control);
  }

  // --- LaneTransport ---

  @Override
  public void hello(Hello hello) {
    gather(0, upstream::onHello, writer -> writer.hello(hello));
  }

  @Override
  public void open(long connection, int epoch, Open open) {
    tell(watcher -> watcher.onOpen(number, connection, epoch, open.limit(), open.resumeState()));
    sim.history().assigned(number, connection, epoch);
    gather(
        100,
        () -> upstream.onOpen(connection, epoch, open),
        writer -> writer.open(connection, epoch, open));
  }

  @Override
  public void data(
      long connection, int epoch, long offset, ByteBuf owned, boolean isLast, long limit) {
    byte[] bytes = new byte[owned.readableBytes()];
    owned.getBytes(owned.readerIndex(), bytes);
    try {
      tell(bytes, connection, epoch, offset, isLast, limit);
    } catch (AssertionError broken) {
      owned.release();
      throw broken;
    }
    if (sdk != null) {
      sdk.writer().data(connection, epoch, offset, owned, isLast, limit);
      return;
    }
    owned.release();
    gather(
        bytes.length,
        () -> {
          upstream.onLimit(connection, limit);
          upstream.onData(connection, offset, bytes);
        },
        _ -> {});
  }

  private void tell(
      byte[] bytes, long connection, int epoch, long offset, boolean isLast, long limit) {
    tell(watcher -> watcher.onData(number, connection, epoch, offset, bytes, isLast));
    if (limit != BridgeFrame.ABSENT) {
      tell(watcher -> watcher.onLimit(number, connection, epoch, limit));
    }
  }

  @Override
  public void limit(long connection, int epoch, long limit) {
    tell(watcher -> watcher.onLimit(number, connection, epoch, limit));
    gather(
        0,
        () -> upstream.onLimit(connection, limit),
        writer -> writer.limit(connection, epoch, limit));
  }

  @Override
  public void halfClose(long connection, int epoch, long offset) {
    tell(watcher -> watcher.onHalfClose(number, connection, epoch, offset));
    gather(
        0,
        () -> upstream.onHalfClose(connection),
        writer -> writer.halfClose(connection, epoch, offset));
  }

  @Override
  public void close(long connection, int epoch, CloseReason reason) {
    tell(watcher -> watcher.onClose(number, connection, epoch, reason.name()));
    sim.history().detached(connection, epoch);
    gather(
        0,
        () -> upstream.onClose(connection, epoch, reason),
        writer -> writer.close(connection, epoch, reason));
  }

  @Override
  public void release(long connection, int epoch) {
    tell(watcher -> watcher.onRelease(number, connection, epoch));
    gather(0, () -> upstream.onRelease(connection), writer -> writer.release(connection, epoch));
  }

  @Override
  public void ping(long id) {
    gather(0, () -> send(new UpstreamControl.Pong(id)), writer -> writer.ping(id));
  }

  @Override
  public void pushResult(PushResult result) {
    String outcome = result.outcome().name();
    long id = sdk == null ? result.id() : sdk.pushNumber(result.id());
    tell(watcher -> watcher.onPushResult(number, id, outcome));
    gather(0, () -> sim.history().pushAnswered(id, outcome), writer -> writer.pushResult(result));
  }

  @Override
  public void syncing() {
    gather(0, () -> {}, BridgeBatchWriter::syncing);
  }

  @Override
  public void opened(long connection, String mark, String listener, String clientAddress) {
    gather(0, () -> {}, writer -> writer.opened(connection, mark, listener, clientAddress));
  }

  @Override
  public void closed(long connection, CloseReason reason) {
    gather(0, () -> {}, writer -> writer.closed(connection, reason));
  }

  @Override
  public void synced() {
    gather(0, () -> {}, BridgeBatchWriter::synced);
  }

  @Override
  public int batchBytes() {
    return sdk == null ? gatheredBytes : sdk.writer().batch().bytes();
  }

  @Override
  public boolean flush() {
    if (phase == Phase.OPEN) {
      toUpstream.addAll(gathered);
      byte[] batch = sdk == null ? null : sdk.takeBatch();
      if (batch != null) {
        toUpstream.add(() -> sdk.onBatch(batch));
      }
    } else if (sdk != null) {
      sdk.dropBatch();
    }
    gathered.clear();
    gatheredBytes = 0;
    isStalled |= sim.strikes(Fault.LANE_STALL);
    return !isStalled;
  }

  @Override
  public void cancel(String cause) {
    if (TIMEOUTS.contains(cause)) {
      sim.watchers().tell(watcher -> watcher.onLaneTimedOut(number, !cause.equals(NO_SETTINGS)));
    }
    endForBridge();
  }

  @Override
  public void finish() {
    endForBridge();
  }

  private void tell(Consumer<Watcher> event) {
    if (phase == Phase.ZOMBIE || phase == Phase.GONE) {
      throw new AssertionError(
          "rule 8 (late): the bridge sends a frame on lane " + number + ", which is over");
    }
    reportMode();
    sim.watchers().tell(event);
  }

  private void gather(int bytes, Runnable arrival, Consumer<BridgeBatchWriter> encoding) {
    if (sdk != null) {
      encoding.accept(sdk.writer());
      return;
    }
    gatheredBytes += FRAME_BYTES + bytes;
    gathered.add(arrival);
  }

  // --- for the simulation ---

  Lane lane() {
    return lane;
  }

  int number() {
    return number;
  }

  boolean isConnecting() {
    return phase == Phase.CONNECTING;
  }

  boolean isOpen() {
    return phase == Phase.OPEN;
  }

  /** Whether the bridge still processes what it receives on this lane. */
  boolean isHeard() {
    return phase == Phase.OPEN || phase == Phase.ORPHAN;
  }

  /** Whether everything received on this lane is too late. */
  boolean isZombie() {
    return phase == Phase.ZOMBIE;
  }

  boolean isOver() {
    return phase == Phase.GONE;
  }

  boolean isEchoing(long connection) {
    return phase == Phase.OPEN && end().isEchoing(connection);
  }

  @Override
  public String toString() {
    return "lane "
        + number
        + " "
        + phase
        + (isStalled ? " stalled" : "")
        + (isPartitioned ? " partitioned" : "")
        + " "
        + end();
  }
}
