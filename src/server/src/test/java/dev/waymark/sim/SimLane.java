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
import dev.waymark.sim.checkers.Watcher;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A fake Attach call: frames under way in both directions, and the upstream at its end. */
final class SimLane implements LaneTransport {
  private static final int FRAME_BYTES = 10;

  private static final String NO_SETTINGS = "no Settings";

  /** Why the bridge gives up a lane from which something does not come. */
  private static final Set<String> TIMEOUTS =
      Set.of("silent", "not established in time", NO_SETTINGS);

  /** How long the upstream goes on for a bridge that has ended the call. */
  private static final int ZOMBIE_ACTS_MAX = 40;

  private enum Phase {
    CONNECTING,
    OPEN,
    /** The upstream has gone; the bridge is yet to be told. */
    ORPHAN,
    /** The bridge has left; the upstream is yet to be told, and what it sends comes too late. */
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
  private boolean isAtMostOnceTold;
  private int zombieActs;

  SimLane(Sim sim, Lane lane, int number, SimProcess process) {
    this.sim = sim;
    this.dice = sim.dice();
    this.lane = lane;
    this.number = number;
    this.process = process;
    this.toBridge = new SimDelivery(sim, this);
    this.upstream = new SimUpstream(sim, this, process);
    process.lane(this);
  }

  // --- what happens to it ---

  void act() {
    switch (phase) {
      case CONNECTING -> connect();
      case OPEN -> work();
      case ORPHAN -> {
        toBridge.deliver(dice.upTo(3));
        if (phase == Phase.ORPHAN && dice.oneIn(4)) {
          broken();
        }
      }
      case ZOMBIE -> haunt();
      case GONE -> {}
    }
  }

  private void connect() {
    if (!process.isUp() && dice.oneIn(4)) {
      broken();
    } else if (process.isUp() && dice.oneIn(4)) {
      establish();
    }
  }

  private void establish() {
    phase = Phase.OPEN;
    if (process.kind().isOnSdk()) {
      sdk = new SdkLane(sim, this, process.sdk(sim));
      sim.keep(sdk);
      sdk.start();
    }
    lane.onReady(sim.nowNs());
  }

  /** The upstream's. */
  private LaneEnd end() {
    return sdk == null ? upstream : sdk;
  }

  private void work() {
    if (isPartitioned) {
      isPartitioned = !dice.oneIn(200);
    } else if (sim.strikes(Fault.LANE_BREAK)) {
      broken();
    } else if (sim.strikes(Fault.PARTITION)) {
      isPartitioned = true;
    } else {
      if (isStalled && dice.oneIn(5)) {
        isStalled = false;
        lane.onReady(sim.nowNs());
      }
      if (!process.isFrozen()) {
        receive(1 + dice.upTo(4));
        // What came may have ended the process.
        if (phase == Phase.OPEN) {
          end().act();
        }
      }
      toBridge.deliver(1 + dice.upTo(4));
    }
  }

  /** The bridge stands still: the upstream does something, which waits for the bridge. */
  void workUnheard() {
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
      sdk.over();
    }
    if (phase == Phase.OPEN) {
      phase = Phase.ORPHAN;
    } else if (phase == Phase.ZOMBIE) {
      gone();
    }
  }

  /** Everything that is under way arrives, and the upstream does all that it can. */
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
      case ORPHAN -> broken();
      case ZOMBIE -> gone();
      case GONE -> {}
    }
  }

  /** Tells once that the upstream counts as one without Settings. */
  void tellMode() {
    if (!isAtMostOnceTold && ShardInspector.isAtMostOnce(lane)) {
      isAtMostOnceTold = true;
      sim.watchers().tell(watcher -> watcher.onAtMostOnce(number));
      sim.history().atMostOnce(number);
    }
  }

  private void broken() {
    over();
    gone();
    lane.onBroken(sim.nowNs(), "simulated");
  }

  /** The bridge's end. */
  private void over() {
    if (phase != Phase.ZOMBIE && phase != Phase.GONE) {
      tellMode();
      sim.watchers().tell(watcher -> watcher.onLaneEnd(number));
      gathered.clear();
      if (sdk != null) {
        sdk.dropBatch();
      }
      zombieActs = dice.upTo(ZOMBIE_ACTS_MAX);
      boolean isHeard = phase == Phase.OPEN && zombieActs > 0;
      phase = Phase.ZOMBIE;
      if (!isHeard) {
        gone();
      }
    }
  }

  private void gone() {
    phase = Phase.GONE;
    process.gone(this);
    if (sdk != null && !sdk.isBusy()) {
      sdk.over();
    }
    toUpstream.clear();
    toBridge.clear();
  }

  private void receive(int most) {
    for (int i = 0; i < most && !toUpstream.isEmpty() && isRead(); i++) {
      toUpstream.remove().run();
    }
  }

  private boolean isRead() {
    return sdk == null || sdk.isReading();
  }

  /** A batch of the SDK. */
  void send(byte[] batch) {
    toBridge.add(batch);
  }

  /** Null: its upstream is not built on the SDK. */
  @Nullable SdkLane sdk() {
    return sdk;
  }

  void send(SimDelivery.Reply reply) {
    toBridge.add(reply);
  }

  void send(UpstreamControl control) {
    toBridge.add(control);
  }

  // --- as the core uses it ---

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
      long connection, int epoch, long offset, ByteBuf owned, boolean last, long limit) {
    byte[] bytes = new byte[owned.readableBytes()];
    owned.getBytes(owned.readerIndex(), bytes);
    try {
      tell(bytes, connection, epoch, offset, last, limit);
    } catch (AssertionError broken) {
      owned.release();
      throw broken;
    }
    if (sdk != null) {
      sdk.writer().data(connection, epoch, offset, owned, last, limit);
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
      byte[] bytes, long connection, int epoch, long offset, boolean last, long limit) {
    tell(watcher -> watcher.onData(number, connection, epoch, offset, bytes, last));
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
    sim.history().takenAway(connection, epoch);
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
    long id = sdk == null ? result.id() : sdk.push(result.id());
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
    over();
  }

  @Override
  public void finish() {
    over();
  }

  private void tell(Consumer<Watcher> event) {
    if (phase == Phase.ZOMBIE || phase == Phase.GONE) {
      throw new AssertionError("rule 8 (late): a frame on lane " + number + ", which is over");
    }
    tellMode();
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

  /** What comes on it counts. */
  boolean isHeard() {
    return phase == Phase.OPEN || phase == Phase.ORPHAN;
  }

  /** What comes on it comes too late. */
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
