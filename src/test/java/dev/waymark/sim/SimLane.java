package dev.waymark.sim;

import dev.waymark.core.CloseReason;
import dev.waymark.core.Hello;
import dev.waymark.core.Lane;
import dev.waymark.core.LaneTransport;
import dev.waymark.core.Open;
import dev.waymark.core.ShardInspector;
import dev.waymark.core.UpstreamControl;
import dev.waymark.core.UpstreamFrame;
import dev.waymark.sim.checkers.Watcher;
import dev.waymark.sim.checkers.Watcher.UpstreamEvent;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A fake Attach call: frames under way in both directions, and the upstream at its end. */
final class SimLane implements LaneTransport {
  private static final int FRAME_BYTES = 10;

  private final Sim sim;
  private final Lane lane;
  private final int number;
  private final SimUpstream upstream;
  private final List<Runnable> gathered = new ArrayList<>();
  private final ArrayDeque<Runnable> toUpstream = new ArrayDeque<>();
  private final ArrayDeque<Object> toBridge = new ArrayDeque<>();
  private final UpstreamFrame cursor = new UpstreamFrame();
  private int gatheredBytes;
  private boolean isReady;
  private boolean isStalled;
  private boolean isOver;
  private boolean isPlainTold;
  private Runnable reordered;

  SimLane(Sim sim, Lane lane, int number, SimUpstream.Kind kind) {
    this.sim = sim;
    this.lane = lane;
    this.number = number;
    this.upstream = new SimUpstream(sim, this, kind);
  }

  // --- what happens to it ---

  void act() {
    if (isOver) {
      return;
    }
    if (!isReady) {
      if (sim.oneIn(4)) {
        isReady = true;
        lane.onReady(sim.nowNs());
      }
    } else if (sim.chance(sim.faults().laneBreaks())) {
      broken();
    } else {
      if (isStalled && sim.oneIn(5)) {
        isStalled = false;
        lane.onReady(sim.nowNs());
      }
      receive(1 + sim.upTo(4));
      upstream.act();
      deliver(1 + sim.upTo(4));
    }
  }

  /** Everything that is under way arrives, and the upstream does all that it can. */
  void heal() {
    if (!isOver) {
      if (!isReady || isStalled) {
        isReady = true;
        isStalled = false;
        lane.onReady(sim.nowNs());
      }
      receive(Integer.MAX_VALUE);
      upstream.heal();
      deliver(Integer.MAX_VALUE);
    }
  }

  /** Tells once that the upstream counts as one without Settings. */
  void tellMode() {
    if (!isPlainTold && ShardInspector.isPlain(lane)) {
      isPlainTold = true;
      sim.watchers().tell(watcher -> watcher.onPlain(number));
    }
  }

  private void broken() {
    over();
    lane.onBroken(sim.nowNs(), "simulated");
  }

  private void over() {
    if (!isOver) {
      tellMode();
      isOver = true;
      sim.watchers().tell(watcher -> watcher.onLaneEnd(number));
      toUpstream.clear();
      toBridge.clear();
      gathered.clear();
    }
  }

  private void receive(int most) {
    for (int i = 0; i < most && !toUpstream.isEmpty(); i++) {
      toUpstream.remove().run();
    }
  }

  private void deliver(int most) {
    for (int i = 0; i < most && !toBridge.isEmpty() && !isOver; i++) {
      switch (toBridge.remove()) {
        case UpstreamControl.Settings settings -> {
          sim.watchers().tell(watcher -> watcher.onSettings(number, settings.windowBytes()));
          lane.onFrame(sim.nowNs(), cursor.clear().control(settings));
        }
        case UpstreamControl control -> lane.onFrame(sim.nowNs(), cursor.clear().control(control));
        case Reply reply -> deliver(reply);
        case Object other -> throw new AssertionError(other);
      }
    }
  }

  private void deliver(Reply reply) {
    UpstreamEvent event = reply.event();
    ByteBuf batch = sim.buffer(event.bytes() + 2);
    batch.writeByte(0);
    for (int i = 0; i < event.bytes(); i++) {
      batch.writeByte(Watcher.byteAt(event.connection(), reply.offset() + i));
    }
    batch.writeByte(0);
    sim.watchers().tell(watcher -> watcher.onUpstreamFrame(number, event));
    cursor
        .clear()
        .connection(event.connection())
        .epoch(event.epoch())
        .payload(batch.slice(1, event.bytes()));
    cursor
        .consumed(event.consumed())
        .more(event.more())
        .halfClose(event.halfClose())
        .close(event.close())
        .control(event.isReleased() ? new UpstreamControl.Released() : null);
    if (sim.oneIn(5)) {
      cursor.context(new byte[sim.upTo(9)]);
    }
    lane.onFrame(sim.nowNs(), cursor);
    batch.release();
  }

  /**
   * A frame of the upstream is under way; its payload stands at this offset of the reply stream.
   */
  record Reply(UpstreamEvent event, long offset) {}

  void send(Reply reply) {
    toBridge.add(reply);
  }

  void send(UpstreamControl control) {
    toBridge.add(control);
  }

  // --- as the core uses it ---

  @Override
  public void hello(Hello hello) {
    gather(0, () -> upstream.onHello());
  }

  @Override
  public void open(long connection, int epoch, Open open) {
    tell(watcher -> watcher.onOpen(number, connection, epoch, open.limit(), open.reopen()));
    gather(100, () -> upstream.onOpen(connection, epoch, open));
  }

  @Override
  public void data(
      long connection, int epoch, long offset, ByteBuf owned, boolean last, long limit) {
    byte[] bytes = new byte[owned.readableBytes()];
    owned.readBytes(bytes);
    owned.release();
    if (sim.isMutated(Mutation.DROP_DATA)) {
      return;
    }
    boolean isLast = last && !sim.isMutated(Mutation.LOSE_LAST);
    Runnable told =
        () -> {
          tell(watcher -> watcher.onData(number, connection, epoch, offset, bytes, isLast));
          if (limit != NO_LIMIT) {
            tell(watcher -> watcher.onLimit(number, connection, epoch, limit));
          }
        };
    if (sim.isMutated(Mutation.REORDER_DATA)) {
      reordered = told;
      return;
    }
    told.run();
    if (reordered != null) {
      reordered.run();
    }
    gather(bytes.length, () -> upstream.onData(connection, bytes.length, limit));
  }

  @Override
  public void limit(long connection, int epoch, long limit) {
    if (!sim.isEverMutated(Mutation.FORGET_LIMITS)) {
      tell(watcher -> watcher.onLimit(number, connection, epoch, limit));
      gather(0, () -> upstream.onData(connection, 0, limit));
    }
  }

  @Override
  public void halfClose(long connection, int epoch, long offset) {
    tell(watcher -> watcher.onHalfClose(number, connection, epoch, offset));
    gather(0, () -> upstream.onHalfClose(connection));
  }

  @Override
  public void close(long connection, int epoch, CloseReason reason) {
    tell(watcher -> watcher.onClose(number, connection, epoch, reason.name()));
    if (sim.isMutated(Mutation.CLOSE_TWICE)) {
      tell(watcher -> watcher.onClose(number, connection, epoch, reason.name()));
    }
    if (sim.isMutated(Mutation.LATE_DATA)) {
      tell(watcher -> watcher.onLimit(number, connection, epoch, Long.MAX_VALUE));
    }
    gather(0, () -> upstream.onClose(connection));
  }

  @Override
  public void release(long connection, int epoch) {
    tell(watcher -> watcher.onRelease(number, connection, epoch));
    gather(0, () -> upstream.onRelease(connection));
  }

  @Override
  public void ping(long id) {
    gather(0, () -> send(new UpstreamControl.Pong(id)));
  }

  @Override
  public void notOffered(long pushId) {
    gather(0, () -> {});
  }

  @Override
  public int batchBytes() {
    return gatheredBytes;
  }

  @Override
  public boolean flush() {
    toUpstream.addAll(gathered);
    gathered.clear();
    gatheredBytes = 0;
    isStalled |= sim.chance(sim.faults().laneStalls());
    return !isStalled;
  }

  @Override
  public void cancel(String cause) {
    over();
  }

  @Override
  public void finish() {
    over();
  }

  private void tell(Consumer<Watcher> event) {
    if (isOver) {
      throw new AssertionError("rule 8 (late): a frame on lane " + number + ", which is over");
    }
    sim.watchers().tell(event);
  }

  private void gather(int bytes, Runnable arrival) {
    gatheredBytes += FRAME_BYTES + bytes;
    gathered.add(arrival);
  }

  boolean isOver() {
    return isOver;
  }

  boolean isEchoing(long connection) {
    return !isOver && upstream.isEchoing(connection);
  }

  @Override
  public String toString() {
    return "lane "
        + number
        + (isOver ? " over" : "")
        + (isStalled ? " stalled" : "")
        + (isReady ? "" : " not ready")
        + " "
        + upstream;
  }
}
