package dev.waymark.sim;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.UpstreamControl;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * The end of a lane at a scripted upstream: receives the bridge's frames and dispatches them to a
 * {@link SimPeer} per attachment.
 */
final class SimUpstream implements LaneEnd {
  /** How an upstream process behaves. */
  enum Kind {
    HONEST,
    /** As HONEST, but its connections are neither moved nor replayed. */
    PINNED,
    SLOW,
    /** Sends no Settings and no consumed, and ignores limits. */
    AT_MOST_ONCE,
    LATE_SETTINGS,
    HALF_CLOSES_FIRST,
    CLOSES,
    REFUSES,
    HOSTILE,
    /** An honest echo on the SDK. */
    SDK,
    /** An honest echo on the SDK, without Settings. */
    SDK_PLAIN;

    boolean isOnSdk() {
      return this == SDK || this == SDK_PLAIN;
    }
  }

  /** How many finished attachments are kept, to send late frames for. */
  private static final int ENDED_MAX = 8;

  private final Sim sim;
  private final Dice dice;
  private final SimLane lane;
  private final SimProcess process;
  private final Kind kind;
  private final TreeMap<Long, SimPeer> peers = new TreeMap<>();
  private final List<SimPeer> ended = new ArrayList<>();
  private boolean isSettingsSent;
  private boolean isHelloReceived;
  private boolean isDrainingSent;

  SimUpstream(Sim sim, SimLane lane, SimProcess process) {
    this.sim = sim;
    this.dice = sim.dice();
    this.lane = lane;
    this.process = process;
    this.kind = process.kind();
  }

  // --- frames from the bridge ---

  void onHello() {
    isHelloReceived = true;
    if (kind != Kind.LATE_SETTINGS) {
      settings();
    }
  }

  void onOpen(long connection, int epoch, Open open) {
    SimPeer peer = new SimPeer(sim, lane, kind, connection, epoch, open);
    SimPeer older = peers.put(connection, peer);
    process.onOpen(connection, peer);
    if (older != null) {
      remember(older);
    }
  }

  private void remember(SimPeer older) {
    older.end();
    ended.add(older);
    if (ended.size() > ENDED_MAX) {
      ended.removeFirst();
    }
  }

  void onLimit(long connection, long limit) {
    SimPeer peer = peers.get(connection);
    if (peer != null) {
      peer.onLimit(limit);
    }
  }

  void onData(long connection, long offset, byte[] bytes) {
    SimPeer peer = peers.get(connection);
    if (peer != null) {
      peer.onData(offset, bytes);
    }
    boolean isSure = sim.isPoisonOnly();
    if (bytes.length > 0
        && process.isUp()
        && sim.isPoison(connection)
        && (isSure || dice.oneIn(2))) {
      sim.watchers().tell(watcher -> watcher.onKill(connection));
      process.crash(sim.nowNs() + dice.upTo((int) SimSetup.RESTART_NS_MAX));
    }
  }

  void onHalfClose(long connection) {
    SimPeer peer = peers.get(connection);
    if (peer != null) {
      peer.onHalfClose();
    }
  }

  void onRelease(long connection) {
    SimPeer peer = peers.get(connection);
    if (peer != null) {
      peer.onRelease();
    }
  }

  void onClose(long connection, int epoch, CloseReason reason) {
    SimPeer peer = peers.get(connection);
    if (peer != null && peer.epoch() == epoch) {
      peer.onClose(reason);
    }
  }

  // --- actions ---

  @Override
  public void act() {
    boolean isMute = kind == Kind.LATE_SETTINGS && !isSettingsSent;
    if (!isHelloReceived || (isMute && !dice.oneIn(20))) {
      return;
    }
    settings();
    if (process.isDraining() && !isDrainingSent && dice.oneIn(10)) {
      isDrainingSent = true;
      lane.send(new UpstreamControl.Draining());
    }
    if (sim.strikes(Fault.PUSH)) {
      lane.send(SimPush.any(sim, lane));
    }
    if (kind == Kind.SLOW && !dice.oneIn(10)) {
      return;
    }
    if (!ended.isEmpty() && dice.oneIn(8)) {
      ended.get(dice.upTo(ended.size())).act();
    } else if (!peers.isEmpty()) {
      List<Long> known = new ArrayList<>(peers.keySet());
      long connection = known.get(dice.upTo(known.size()));
      SimPeer peer = peers.get(connection);
      peer.act();
      if (peer.isOver() && dice.oneIn(4)) {
        peers.remove(connection);
        remember(peer);
      }
    }
  }

  @Override
  public void heal() {
    if (isHelloReceived) {
      settings();
    }
    peers.values().forEach(SimPeer::heal);
  }

  private void settings() {
    if (kind != Kind.AT_MOST_ONCE && !isSettingsSent) {
      isSettingsSent = true;
      boolean isPinned = kind == Kind.PINNED;
      lane.send(new UpstreamControl.Settings(1, sim.askedWindowBytes(), dice.oneIn(3), isPinned));
    }
  }

  // --- for the simulation ---

  @Override
  public boolean isEchoing(long connection) {
    SimPeer peer = peers.get(connection);
    return peer != null && peer.isEchoing();
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(process.toString());
    for (SimPeer peer : peers.values()) {
      if (!peer.isOver()) {
        text.append("\n    ").append(peer);
      }
    }
    return text.toString();
  }
}
