package dev.waymark.sim;

import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.protocol.codec.MalformedFrameException;
import dev.waymark.protocol.codec.UpstreamFrameReader;
import dev.waymark.sim.checkers.Ledger;
import dev.waymark.sim.checkers.Watcher;
import dev.waymark.sim.checkers.Watcher.UpstreamEvent;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Objects;

/**
 * The frames in flight on one lane from the upstream to the bridge, in order. Delivering a frame
 * reports it to the checkers and passes it to the engine's lane.
 */
final class SimDelivery {
  /** A frame in flight; {@code offset} is the place of its payload in the reply stream. */
  record Reply(UpstreamEvent event, long offset) {}

  private final Sim sim;
  private final SimLane lane;
  private final ArrayDeque<Object> inFlight = new ArrayDeque<>();
  private final UpstreamFrame cursor = new UpstreamFrame();
  private final UpstreamFrameReader reader = new UpstreamFrameReader();
  private final UpstreamFrame frame = new UpstreamFrame();
  private boolean hasSettings;

  SimDelivery(Sim sim, SimLane lane) {
    this.sim = sim;
    this.lane = lane;
  }

  void add(Reply reply) {
    inFlight.add(reply);
  }

  void add(UpstreamControl control) {
    inFlight.add(control);
  }

  void add(byte[] batch) {
    inFlight.add(batch);
  }

  void clear() {
    inFlight.clear();
  }

  void deliver(int most) {
    for (int i = 0; i < most && !inFlight.isEmpty(); i++) {
      lane.reportMode();
      switch (inFlight.remove()) {
        case UpstreamControl control -> deliver(control);
        case Reply reply -> deliver(reply);
        case byte[] batch -> deliver(batch);
        case Object other -> throw new AssertionError(other);
      }
    }
  }

  private void deliver(UpstreamControl control) {
    if (lane.isHeard()) {
      sim.watchers().tell(watcher -> watcher.onHeard(lane.number()));
      hasSettings |= control instanceof UpstreamControl.Settings;
      recordMode();
      tell(control);
    }
    lane.lane().onFrame(sim.nowNs(), cursor.clear().control(control));
  }

  /** A frame that comes before Settings makes the lane at-most-once. */
  private void recordMode() {
    if (!hasSettings && lane.isHeard() && !sim.isSettingsRequired()) {
      sim.history().atMostOnce(lane.number());
    }
  }

  /** Decodes a batch and delivers it frame by frame, as the bridge does. */
  private void deliver(byte[] batch) {
    ByteBuf content = sim.buffer(batch.length).writeBytes(batch);
    try {
      while (reader.read(content, frame)) {
        deliverFrame();
      }
    } catch (MalformedFrameException malformed) {
      throw new AssertionError("malformed batch from the SDK", malformed);
    } finally {
      content.release();
    }
  }

  private void deliverFrame() {
    UpstreamControl control = frame.control();
    boolean isReleased = control instanceof UpstreamControl.Released;
    if (control instanceof UpstreamControl.Push push) {
      // The SDK numbers pushes per lane, the simulation across all lanes.
      long number = SimPush.id(push.payload());
      Objects.requireNonNull(lane.sdk()).addPush(push.id(), number);
      sim.history().pushed(lane.number(), number, push.mark().sequence());
      control = new UpstreamControl.Push(number, push.mark(), push.payload(), push.epoch());
    }
    if (control != null && !isReleased) {
      if (lane.isHeard()) {
        sim.watchers().tell(watcher -> watcher.onHeard(lane.number()));
        hasSettings |= control instanceof UpstreamControl.Settings;
        recordMode();
        tell(control);
      }
    } else {
      UpstreamEvent event =
          new UpstreamEvent(
              frame.connection(),
              frame.epoch(),
              frame.payload().readableBytes(),
              frame.consumed(),
              frame.context(),
              frame.more(),
              frame.halfClose(),
              frame.close(),
              isReleased);
      recordMode();
      sim.watchers().tell(watcher -> watcher.onHeard(lane.number()));
      sim.watchers().tell(watcher -> watcher.onUpstreamFrame(lane.number(), event));
    }
    lane.lane().onFrame(sim.nowNs(), frame);
  }

  private void tell(UpstreamControl control) {
    int number = lane.number();
    if (control instanceof UpstreamControl.Settings settings) {
      sim.watchers().tell(watcher -> watcher.onSettings(number, settings.windowBytes()));
      if (settings.isPinned()) {
        sim.watchers().tell(watcher -> watcher.onPinned(number));
        sim.history().pinned(number);
      }
    } else if (control instanceof UpstreamControl.Push push) {
      long connection = push.mark().sequence();
      int bytes = push.payload().length;
      sim.watchers()
          .tell(watcher -> watcher.onPush(number, push.id(), connection, bytes, push.epoch()));
    } else if (control instanceof UpstreamControl.Draining) {
      sim.watchers().tell(watcher -> watcher.onDraining(number));
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
    boolean isLateAccepted = sim.mutations().acceptsLate(lane, event, lane.isZombie());
    Ledger ledger = sim.watchers().ledger();
    SimLane taker = isLateAccepted ? sim.lane(ledger.lane(event.connection())) : lane;
    boolean isEndedEarly = sim.mutations().is(Mutation.END_REPLIES_EARLY);
    cursor
        .clear()
        .connection(event.connection())
        .epoch(isLateAccepted ? ledger.epoch(event.connection()) : event.epoch())
        .payload(batch.slice(1, event.bytes()))
        .consumed(Math.max(event.consumed(), isEndedEarly ? 0 : -1))
        .context(event.context())
        .more(event.more() && !sim.mutations().strikes(Mutation.APPLY_UNFINISHED))
        .halfClose(event.halfClose())
        .close(event.close())
        .control(event.isReleased() ? new UpstreamControl.Released() : null);
    recordMode();
    sim.watchers().tell(watcher -> watcher.onHeard(lane.number()));
    sim.watchers().tell(watcher -> watcher.onUpstreamFrame(lane.number(), event));
    taker.lane().onFrame(sim.nowNs(), cursor);
    batch.release();
  }
}
