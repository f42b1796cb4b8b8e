package dev.waymark.sim;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.UpstreamControl;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** The upstream's end of one lane. */
final class SimUpstream implements LaneEnd {
  enum Kind {
    HONEST,
    SLOW,
    /** No Settings, no consumed, no regard for limits. */
    AT_MOST_ONCE,
    LATE_SETTINGS,
    HALF_CLOSES_FIRST,
    CLOSES,
    REFUSES,
    HOSTILE,
    /** Built on the SDK, and an honest echo. */
    SDK,
    /** The same without Settings. */
    SDK_PLAIN;

    boolean isOnSdk() {
      return this == SDK || this == SDK_PLAIN;
    }
  }

  /** Of attachments that are over, so many are remembered, to send late frames for. */
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
  private boolean isDrainingSaid;

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
    process.open(connection, peer);
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
    boolean isSure = sim.isPoisonAlone();
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

  // --- what it does ---

  @Override
  public void act() {
    boolean isMute = kind == Kind.LATE_SETTINGS && !isSettingsSent;
    if (!isHelloReceived || (isMute && !dice.oneIn(20))) {
      return;
    }
    settings();
    if (process.isDraining() && !isDrainingSaid && dice.oneIn(10)) {
      isDrainingSaid = true;
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
      lane.send(new UpstreamControl.Settings(1, sim.askedWindowBytes(), dice.oneIn(3)));
    }
  }

  // --- for the simulation ---

  /** It has been an honest echo for this connection, and is. */
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
