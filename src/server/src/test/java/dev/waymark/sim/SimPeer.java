package dev.waymark.sim;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.ResumeState;
import dev.waymark.sim.checkers.Watcher;
import dev.waymark.sim.checkers.Watcher.UpstreamEvent;

/**
 * One attachment at a scripted upstream: an echo whose replies are the client's own bytes, at the
 * same offsets. Depending on the {@link SimUpstream.Kind} it also refuses, closes, hangs or
 * violates the protocol.
 */
final class SimPeer {
  /** When the upstream answers a Release with Released. */
  private enum OnRelease {
    /** After everything received has been consumed. */
    WHEN_DONE,
    AT_ONCE,
    WITH_LAST_COMMIT,
    NEVER
  }

  private static final CloseReason[] REFUSALS = {
    CloseReason.BUSY, CloseReason.NOT_HERE, CloseReason.SHUTTING_DOWN
  };

  private final Sim sim;
  private final Dice dice;
  private final SimLane lane;
  private final SimUpstream.Kind kind;
  private final long connection;
  private final int epoch;
  private final OnRelease onRelease;
  private long received;
  private long replied;
  private long consumed;
  private long limit;
  private boolean isClientEnded;
  private boolean isHalfClosed;
  private boolean isCommitOpen;
  private boolean isOver;
  private boolean isDishonest;
  private boolean isSilent;
  private boolean isReleaseAsked;
  private boolean isHung;

  SimPeer(Sim sim, SimLane lane, SimUpstream.Kind kind, long connection, int epoch, Open open) {
    this.sim = sim;
    this.dice = sim.dice();
    this.lane = lane;
    this.kind = kind;
    this.connection = connection;
    this.epoch = epoch;
    this.limit = open.limit();
    this.onRelease = OnRelease.values()[dice.upTo(dice.oneIn(3) ? 4 : 3)];
    ResumeState left = open.resumeState();
    if (left == null) {
      sim.history().attached(connection, epoch);
    } else {
      sim.history()
          .attachedAgain(
              connection,
              epoch,
              left.firstOffset(),
              left.committed(),
              left.committedSinceConsumed(),
              left.clientEndedAt(),
              left.isRepliesEnded(),
              left.context());
      received = left.firstOffset();
      consumed = received;
      replied = left.committed();
      isHalfClosed = left.isRepliesEnded();
      isSilent = left.isRepliesEnded();
    }
  }

  // --- frames from the bridge ---

  void onData(long offset, byte[] bytes) {
    sim.history().upstreamReceived(connection, epoch, offset, bytes);
    received += bytes.length;
  }

  void onLimit(long newLimit) {
    limit = Math.max(limit, newLimit);
  }

  void onHalfClose() {
    sim.history().upstreamReceivedEnd(connection, epoch);
    isClientEnded = true;
  }

  void onRelease() {
    isReleaseAsked = true;
  }

  void onClose(CloseReason reason) {
    sim.history().upstreamReceivedClose(connection, epoch, reason.name());
    end();
  }

  /** Closed, or a newer epoch has begun. */
  void end() {
    isOver = true;
  }

  // --- actions ---

  void act() {
    if (kind == SimUpstream.Kind.HOSTILE && !isOver && sim.strikes(Fault.HOSTILE_FRAME, 10)) {
      attack();
    } else if (!isOver) {
      live();
    } else if (sim.strikes(Fault.LATE_FRAME)) {
      frame(dice.upTo(20), -1, false, false, dice.oneIn(2) ? 1 : 0, dice.oneIn(4));
    }
  }

  private void live() {
    isHung = isHung ? !dice.oneIn(60) : sim.strikes(Fault.HANG);
    if (isHung) {
      if (dice.oneIn(4)) {
        // An empty frame says: still working.
        frame(0, -1, isCommitOpen, false, 0, false);
      }
    } else if (isReleaseAsked && isReleasingNow()) {
      release();
    } else {
      behave();
    }
  }

  private boolean isReleasingNow() {
    return switch (onRelease) {
      case WHEN_DONE -> consumed == received && !isCommitOpen && dice.oneIn(2);
      case AT_ONCE -> !isCommitOpen && dice.oneIn(2);
      case WITH_LAST_COMMIT -> dice.oneIn(4);
      case NEVER -> false;
    };
  }

  private void behave() {
    if (kind == SimUpstream.Kind.REFUSES && !isCommitOpen && dice.oneIn(6)) {
      refuse();
    } else if (kind == SimUpstream.Kind.HALF_CLOSES_FIRST
        && !isHalfClosed
        && !isCommitOpen
        && dice.oneIn(20)) {
      isHalfClosed = true;
      isSilent = true;
      sim.expectNoEcho(connection);
      frame(0, -1, false, true, 0, false);
    } else if (kind == SimUpstream.Kind.CLOSES && !isCommitOpen && dice.oneIn(20)) {
      close(1 + dice.upTo(CloseReason.values().length));
    } else {
      echo(dice.oneIn(4) ? Integer.MAX_VALUE : 1 + dice.upTo(300), dice.upTo(4));
    }
  }

  private void refuse() {
    close(REFUSALS[dice.upTo(REFUSALS.length)].wireCode());
  }

  private void close(int code) {
    // Replies only what an echo would: after a refusal the connection continues elsewhere.
    long most = isHalfClosed ? 0 : Math.min(limit, received) - replied;
    int bytes = (int) Math.max(0, Math.min(most, dice.upTo(30)));
    boolean isPoison = code == CloseReason.POISON.wireCode();
    frame(bytes, -1, false, false, isPoison ? CloseReason.DONE.wireCode() : code, false);
    isOver = true;
  }

  /** Hands the connection over, with the progress made so far. */
  private void release() {
    int bytes = 0;
    if (onRelease == OnRelease.WITH_LAST_COMMIT && !isHalfClosed) {
      bytes = dice.upTo(1 + echoable());
      consumed = Math.max(consumed, Math.min(received, replied + bytes));
    }
    frame(bytes, consumed, false, false, 0, true);
    isOver = true;
  }

  void heal() {
    isHung = false;
    if (!isOver) {
      echo(Integer.MAX_VALUE, 0);
      if (isReleaseAsked && !isCommitOpen) {
        release();
      }
    }
  }

  private int echoable() {
    long room = kind == SimUpstream.Kind.AT_MOST_ONCE ? Long.MAX_VALUE : limit - replied;
    return (int) Math.max(0, Math.min(received - replied, room));
  }

  /**
   * Echoes at most this many bytes in one commit of up to {@code parts + 1} frames. The commit may
   * be left unfinished.
   */
  private void echo(int most, int parts) {
    boolean isAtMostOnce = kind == SimUpstream.Kind.AT_MOST_ONCE;
    if (isHalfClosed) {
      if (isSilent && !isAtMostOnce) {
        consumed = received;
        frame(0, received, false, false, 0, false);
      }
      return;
    }
    int bytes = Math.min(echoable(), most);
    for (int i = 0; i < parts && bytes > 1; i++) {
      int part = 1 + dice.upTo(bytes - 1);
      frame(part, -1, true, false, 0, false);
      bytes -= part;
      if (dice.oneIn(10)) {
        return;
      }
    }
    if (bytes > 1 && !isCommitOpen && !isAtMostOnce && dice.oneIn(5)) {
      // A long reply in several commits, of which only the last has consumed.
      int part = 1 + dice.upTo(bytes - 1);
      frame(part, -1, false, false, 0, false);
      bytes -= part;
      if (dice.oneIn(3)) {
        if (sim.strikes(Fault.PUSH, 3)) {
          // The push has to wait until this reply is complete.
          lane.send(SimPush.to(sim, lane, connection));
        }
        return;
      }
    }
    boolean isEnd = isClientEnded && replied + bytes >= received;
    // Former owners have replied to all that was received: only consumed is left to send.
    boolean isSkipping = received <= replied && consumed < received && !isAtMostOnce;
    if (bytes > 0 || isEnd || isCommitOpen || isSkipping) {
      isHalfClosed = isEnd;
      consumed = isAtMostOnce ? consumed : Math.max(consumed, Math.min(received, replied + bytes));
      frame(bytes, isAtMostOnce ? -1 : consumed, false, isEnd, 0, false);
    }
  }

  private void attack() {
    isDishonest = true;
    sim.expectNoEcho(connection);
    switch (dice.upTo(8)) {
      case 0 ->
          frame(
              (int) Math.max(0, limit - replied) + 1,
              -1,
              dice.oneIn(2),
              false,
              dice.upTo(2),
              false);
      case 1 -> frame(0, received + 1 + dice.upTo(1 << 20), false, false, 0, false);
      case 2 -> {
        sim.history().forged(connection);
        foreign(connection, epoch + 1 + dice.upTo(9), 3, 0);
      }
      case 3 -> foreign(1_000_000 + dice.upTo(9), 0, 3, dice.upTo(2));
      case 4 -> foreign(0, 0, dice.upTo(3), 0);
      case 5 -> frame(1, -1, false, true, 0, false);
      case 6 -> frame(0, -1, dice.oneIn(3), false, dice.oneIn(3) ? 3 : 0, true);
      default -> lane.send(SimPush.any(sim, lane));
    }
  }

  private void foreign(long other, int otherEpoch, int bytes, int close) {
    UpstreamEvent event =
        new UpstreamEvent(other, otherEpoch, bytes, -1, null, false, false, close, false);
    lane.send(new SimDelivery.Reply(event, replied));
  }

  private void frame(
      int bytes, long consumedTo, boolean more, boolean halfClose, int close, boolean isReleased) {
    byte[] context = dice.oneIn(5) ? new byte[dice.upTo(9)] : null;
    if (context != null && context.length > 0) {
      context[0] = (byte) dice.upTo(256);
    }
    UpstreamEvent event =
        new UpstreamEvent(
            connection, epoch, bytes, consumedTo, context, more, halfClose, close, isReleased);
    sim.history()
        .upstreamSent(
            connection,
            epoch,
            Watcher.bytesAt(connection, replied, bytes),
            consumedTo,
            context,
            more,
            halfClose,
            close == 0 ? null : CloseReason.saidByUpstream(close).name(),
            isReleased);
    lane.send(new SimDelivery.Reply(event, replied));
    replied += bytes;
    isCommitOpen = more;
  }

  // --- for the simulation ---

  int epoch() {
    return epoch;
  }

  boolean isOver() {
    return isOver;
  }

  /** Whether the attachment is live and has always been an honest echo. */
  boolean isEchoing() {
    return !isOver && !isDishonest && !isSilent;
  }

  @Override
  public String toString() {
    return connection
        + "/"
        + epoch
        + " received "
        + received
        + " replied "
        + replied
        + " consumed "
        + consumed
        + " limit "
        + limit
        + (isClientEnded ? " FIN" : "")
        + (isHalfClosed ? " ended" : "")
        + (isHung ? " hung" : "")
        + (isReleaseAsked ? " release " + onRelease : "");
  }
}
