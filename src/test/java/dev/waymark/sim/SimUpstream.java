package dev.waymark.sim;

import dev.waymark.core.CloseReason;
import dev.waymark.core.Open;
import dev.waymark.core.Reopen;
import dev.waymark.core.UpstreamControl;
import dev.waymark.sim.checkers.Watcher.UpstreamEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** An upstream on one lane: it echoes, well or badly. */
final class SimUpstream {
  enum Kind {
    HONEST,
    SLOW,
    /** No Settings, no consumed, no regard for limits. */
    PLAIN,
    LATE_SETTINGS,
    HALF_CLOSES_FIRST,
    CLOSES,
    DRAINS,
    HOSTILE
  }

  private static final class Peer {
    private long received;
    private long replied;
    private long limit;
    private int epoch;
    private boolean isClientEnded;
    private boolean isHalfClosed;
    private boolean isCommitOpen;
    private boolean isOver;
    private boolean isDishonest;
    private boolean isSilent;
    private boolean isReleaseAsked;
  }

  private final Sim sim;
  private final SimLane lane;
  private final Kind kind;
  private final TreeMap<Long, Peer> peers = new TreeMap<>();
  private boolean isSettingsSent;
  private boolean isHelloReceived;
  private boolean isDraining;

  SimUpstream(Sim sim, SimLane lane, Kind kind) {
    this.sim = sim;
    this.lane = lane;
    this.kind = kind;
  }

  // --- frames from the bridge ---

  void onHello() {
    isHelloReceived = true;
    if (kind != Kind.LATE_SETTINGS) {
      settings();
    }
  }

  void onOpen(long connection, int epoch, Open open) {
    Peer peer = new Peer();
    peer.epoch = epoch;
    peer.limit = open.limit();
    Reopen left = open.reopen();
    if (left != null) {
      // An echo: its replies are the client's own bytes, and stand at the same offsets.
      peer.received = left.firstOffset();
      peer.replied = left.taken();
      peer.isHalfClosed = left.isRepliesEnded();
      peer.isSilent = left.isRepliesEnded();
    }
    if (kind == Kind.PLAIN) {
      sim.spoil(connection);
    }
    peers.put(connection, peer);
  }

  void onData(long connection, int bytes, long limit) {
    Peer peer = peers.get(connection);
    peer.received += bytes;
    peer.limit = Math.max(peer.limit, limit);
  }

  void onHalfClose(long connection) {
    peers.get(connection).isClientEnded = true;
  }

  void onRelease(long connection) {
    peers.get(connection).isReleaseAsked = true;
  }

  void onClose(long connection) {
    Peer peer = peers.get(connection);
    if (peer != null) {
      peer.isOver = true;
    }
  }

  // --- what it does ---

  void act() {
    boolean isIdle = !isHelloReceived || peers.isEmpty() || (kind == Kind.SLOW && !sim.oneIn(10));
    if (isHelloReceived && kind == Kind.LATE_SETTINGS && sim.oneIn(20)) {
      settings();
    }
    if (isIdle || (kind == Kind.LATE_SETTINGS && !isSettingsSent)) {
      return;
    }
    if (kind == Kind.DRAINS && !isDraining && sim.oneIn(200)) {
      isDraining = true;
      lane.send(new UpstreamControl.Draining());
    }
    List<Long> known = new ArrayList<>(peers.keySet());
    long connection = known.get(sim.upTo(known.size()));
    Peer peer = peers.get(connection);
    if (kind == Kind.HOSTILE && sim.chance(sim.faults().hostileFrames() * 10)) {
      attack(connection, peer);
    } else if (!peer.isOver) {
      behave(connection, peer);
    } else if (sim.chance(sim.faults().hostileFrames())) {
      frame(connection, peer, sim.upTo(20), -1, false, false, sim.oneIn(2) ? 1 : 0);
    }
  }

  private void behave(long connection, Peer peer) {
    if (kind == Kind.HALF_CLOSES_FIRST
        && !peer.isHalfClosed
        && !peer.isCommitOpen
        && sim.oneIn(20)) {
      peer.isHalfClosed = true;
      peer.isSilent = true;
      sim.spoil(connection);
      frame(connection, peer, 0, -1, false, true, 0);
    } else if (kind == Kind.CLOSES && !peer.isCommitOpen && sim.oneIn(20)) {
      peer.isOver = true;
      // No more than an echo would say: the connection may go on elsewhere.
      long most = Math.min(peer.limit, peer.received) - peer.replied;
      int bytes = (int) Math.max(0, Math.min(most, sim.upTo(30)));
      frame(
          connection,
          peer,
          peer.isHalfClosed ? 0 : bytes,
          -1,
          false,
          false,
          1 + sim.upTo(CloseReason.values().length));
    } else if (peer.isReleaseAsked && sim.oneIn(4)) {
      release(connection, peer);
    } else {
      echo(connection, peer, sim.oneIn(4) ? Integer.MAX_VALUE : 1 + sim.upTo(300), sim.upTo(4));
    }
  }

  void heal() {
    if (isHelloReceived) {
      settings();
    }
    peers.forEach((connection, peer) -> {
      if (!peer.isOver) {
        echo(connection, peer, Integer.MAX_VALUE, 0);
        release(connection, peer);
      }
    });
  }

  /** Hands it over, done or not. */
  private void release(long connection, Peer peer) {
    if (peer.isReleaseAsked && !peer.isCommitOpen) {
      peer.isOver = true;
      UpstreamEvent event = new UpstreamEvent(connection, peer.epoch, 0, -1, false, false, 0, true);
      lane.send(new SimLane.Reply(event, peer.replied));
    }
  }

  /**
   * Replies to what came, at most so many bytes, in one commit of 1 + parts frames, the last of
   * which may have to wait.
   */
  private void echo(long connection, Peer peer, int most, int parts) {
    if (peer.isHalfClosed) {
      if (peer.isSilent && kind != Kind.PLAIN) {
        frame(connection, peer, 0, peer.received, false, false, 0);
      }
      return;
    }
    long room = kind == Kind.PLAIN ? Long.MAX_VALUE : peer.limit - peer.replied;
    int bytes = (int) Math.max(0, Math.min(Math.min(peer.received - peer.replied, room), most));
    for (int i = 0; i < parts && bytes > 1; i++) {
      int part = 1 + sim.upTo(bytes - 1);
      frame(connection, peer, part, -1, true, false, 0);
      bytes -= part;
      if (sim.oneIn(10)) {
        return;
      }
    }
    if (bytes > 1 && !peer.isCommitOpen && kind != Kind.PLAIN && sim.oneIn(5)) {
      // A long reply in several commits, of which only the last carries `consumed`.
      int part = 1 + sim.upTo(bytes - 1);
      frame(connection, peer, part, -1, false, false, 0);
      bytes -= part;
      if (sim.oneIn(3)) {
        return;
      }
    }
    boolean isEnd = peer.isClientEnded && peer.replied + bytes >= peer.received;
    if (bytes > 0 || isEnd || peer.isCommitOpen) {
      peer.isHalfClosed = isEnd;
      frame(
          connection,
          peer,
          bytes,
          kind == Kind.PLAIN ? -1 : Math.min(peer.received, peer.replied + bytes),
          false,
          isEnd,
          0);
    }
  }

  private void attack(long connection, Peer peer) {
    peer.isDishonest = true;
    sim.spoil(connection);
    switch (sim.upTo(7)) {
      case 0 ->
          frame(
              connection,
              peer,
              (int) Math.max(0, peer.limit - peer.replied) + 1,
              -1,
              sim.oneIn(2),
              false,
              sim.upTo(2));
      case 1 -> frame(connection, peer, 0, peer.received + 1 + sim.upTo(1 << 20), false, false, 0);
      case 2 ->
          lane.send(
              new SimLane.Reply(
                  new UpstreamEvent(
                      connection, peer.epoch + 1 + sim.upTo(9), 3, -1, false, false, 0, false),
                  peer.replied));
      case 3 ->
          lane.send(
              new SimLane.Reply(
                  new UpstreamEvent(
                      1_000_000 + sim.upTo(9), 0, 3, -1, false, false, sim.upTo(2), false),
                  0));
      case 4 ->
          lane.send(
              new SimLane.Reply(
                  new UpstreamEvent(0, 0, sim.upTo(3), -1, false, false, 0, false), 0));
      case 5 -> frame(connection, peer, 1, -1, false, true, 0);
      default -> lane.send(new UpstreamControl.Push(7));
    }
  }

  private void frame(
      long connection,
      Peer peer,
      int bytes,
      long consumed,
      boolean more,
      boolean halfClose,
      int close) {
    UpstreamEvent event =
        new UpstreamEvent(connection, peer.epoch, bytes, consumed, more, halfClose, close, false);
    lane.send(new SimLane.Reply(event, peer.replied));
    peer.replied += bytes;
    peer.isCommitOpen = more;
  }

  private void settings() {
    if (kind != Kind.PLAIN && !isSettingsSent) {
      isSettingsSent = true;
      lane.send(new UpstreamControl.Settings(1, sim.askedWindowBytes(), false));
    }
  }

  // --- for the simulation ---

  /** It has been an honest echo for this connection, and is. */
  boolean isEchoing(long connection) {
    Peer peer = peers.get(connection);
    return peer != null && !peer.isOver && !peer.isDishonest && !peer.isSilent;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(kind.name());
    peers.forEach((connection, peer) -> {
      if (!peer.isOver) {
        text.append("\n    ")
            .append(connection)
            .append(" received ")
            .append(peer.received)
            .append(" replied ")
            .append(peer.replied);
        text.append(" limit ")
            .append(peer.limit)
            .append(peer.isClientEnded ? " FIN" : "")
            .append(peer.isHalfClosed ? " ended" : "");
      }
    });
    return text.toString();
  }
}
