package dev.waymark.sim;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.ResumeState;
import dev.waymark.sim.checkers.Watcher;
import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * One attachment at an upstream on the SDK: an honest echo whose replies are the client's bytes, at
 * the same offsets. It replies at once or later, in parts or whole, and records in the history what
 * it received and sent.
 */
final class SdkEcho implements ConnectionHandler {
  private final Sim sim;
  private final Dice dice;
  private final SdkProcess process;
  private final UpstreamConnection connection;
  private final long number;
  private final int epoch;
  private final boolean isAcknowledging;
  private final boolean isSilent;

  /** Reply bytes committed by former owners: the SDK drops them from the first reply. */
  private final long committed;

  private final boolean isHasty;
  private long next;
  private long received;
  private long consumed;
  private boolean isClientEnded;
  private boolean isEnded;
  private boolean isClosing;
  private boolean isReleaseAsked;
  private boolean isOver;

  SdkEcho(Sim sim, SdkProcess process, UpstreamConnection connection, SimUpstream.Kind kind) {
    this.sim = sim;
    this.dice = sim.dice();
    this.process = process;
    this.connection = connection;
    this.number = Mark.parse(connection.mark()).sequence();
    this.epoch = connection.epoch();
    this.isAcknowledging = kind == SimUpstream.Kind.SDK;
    this.isHasty = dice.oneIn(2);
    ResumeState left = connection.open().resumeState();
    if (left == null) {
      committed = 0;
      isSilent = false;
      sim.history().attached(number, epoch);
    } else {
      received = left.firstOffset();
      consumed = received;
      committed = left.committed();
      next = committed - left.committedSinceConsumed();
      isSilent = left.isRepliesEnded();
      isEnded = isSilent;
      sim.history()
          .attachedAgain(
              number,
              epoch,
              left.firstOffset(),
              left.committed(),
              left.committedSinceConsumed(),
              left.clientEndedAt(),
              left.isRepliesEnded(),
              left.context());
    }
  }

  // --- ConnectionHandler ---

  @Override
  public void onData(ByteBuf data, long endOffset) {
    if (process.isDead()) {
      return;
    }
    byte[] bytes = new byte[data.readableBytes()];
    data.getBytes(data.readerIndex(), bytes);
    sim.history().upstreamReceived(number, epoch, endOffset - bytes.length, bytes);
    received = endOffset;
    if (bytes.length > 0 && sim.isPoison(number) && dice.oneIn(2)) {
      process.kill(number);
    } else if (isHasty && dice.oneIn(2)) {
      answer(Integer.MAX_VALUE);
    }
  }

  @Override
  public void onHalfClose() {
    if (!process.isDead()) {
      sim.history().upstreamReceivedEnd(number, epoch);
      isClientEnded = true;
    }
  }

  @Override
  public void onRelease() {
    isReleaseAsked = true;
  }

  @Override
  public void onClose(CloseReason reason) {
    boolean isOfLane =
        reason == CloseReason.UPSTREAM_LOST
            || reason == CloseReason.MOVED
            || reason == CloseReason.FENCED;
    if (!isOver && !isClosing && !isOfLane && !process.isDead()) {
      sim.history().upstreamReceivedClose(number, epoch, reason.name());
    }
    if (reason == CloseReason.MOVED) {
      sim.mark("sdk hands over");
      // A connection handed over with everything consumed is between two replies.
      tell(new byte[0], consumed, null, false);
    }
    isOver = true;
  }

  // --- actions of the application ---

  void act() {
    if (isOver) {
      return;
    }
    // Without Settings, a Close as the first frame of a lane also makes the lane at-most-once: the
    // bridge then sends more before it handles the Close.
    if (isAcknowledging && dice.oneIn(400)) {
      close(dice.oneIn(2) ? CloseReason.BUSY : CloseReason.ABORT);
    } else if (isReleaseAsked && dice.oneIn(6)) {
      connection.release();
    } else if (dice.oneIn(10)) {
      connection.working();
    } else {
      answer(dice.oneIn(3) ? Integer.MAX_VALUE : 1 + dice.upTo(300));
    }
  }

  void heal() {
    if (!isOver) {
      answer(Integer.MAX_VALUE);
    }
  }

  private void close(CloseReason reason) {
    sim.mark("sdk closes");
    isClosing = true;
    sim.history()
        .upstreamSent(number, epoch, new byte[0], -1, null, false, false, reason.name(), false);
    connection.close(reason);
  }

  /** Replies with at most this many bytes. */
  private void answer(int most) {
    if (isOver || isClosing) {
      return;
    }
    if (isSilent || received <= Math.max(next, committed)) {
      consumeOnly();
    } else {
      reproduce();
      reply(most);
    }
    // Bytes that an at-most-once owner took count as consumed, and a later owner may have replied
    // to
    // them without saying so again.
    boolean isAllReplied = Math.max(next, committed) == received;
    if (isClientEnded && !isEnded && isAllReplied && consumed == received) {
      isEnded = true;
      sim.mark("sdk ends its replies");
      tell(new byte[0], -1, null, true);
      connection.halfClose();
    }
  }

  /** Consumes what former owners have already replied to. */
  private void consumeOnly() {
    if (consumed < received) {
      if (!isSilent) {
        sim.mark("sdk consumes without replying");
      }
      next = Math.max(next, committed);
      consumed = received;
      tell(new byte[0], received, null, false);
      connection.consume(received);
    }
  }

  /** Repeats the start of a reply that former owners have begun; the SDK must not send it. */
  private void reproduce() {
    if (committed > 0 && sim.mutations().strikes(Mutation.SDK_SENDS_AGAIN)) {
      connection.send(bytes(0, committed));
    }
    if (next < committed) {
      sim.mark("sdk skips committed bytes");
      connection.send(bytes(next, committed));
      next = committed;
    }
  }

  private void reply(int most) {
    long end = Math.min(received, next + Math.min(most, connection.commitBytesMax()));
    if (end <= next) {
      return;
    }
    if (connection.isWaiting()) {
      sim.mark("sdk replies wait for credit");
    }
    if (dice.oneIn(4)) {
      sim.mark("sdk sends in parts");
      // The SDK may split it anywhere.
      for (long at = next; at < end; at++) {
        tell(Watcher.bytesAt(number, at, 1), -1, null, false);
      }
      connection.send(bytes(next, end));
      next = end;
      return;
    }
    byte[] context = dice.oneIn(4) ? new byte[] {(byte) dice.upTo(256)} : null;
    sim.mark(isAcknowledging ? "sdk commits" : "sdk replies without Settings");
    byte[] kept = isAcknowledging ? context : null;
    tell(Watcher.bytesAt(number, next, (int) (end - next)), end, kept, false);
    if (context == null) {
      connection.commit(bytes(next, end), end);
    } else {
      connection.commit(bytes(next, end), end, context);
    }
    next = end;
    consumed = end;
  }

  private void tell(byte[] bytes, long consumedTo, byte[] context, boolean isHalfClose) {
    long said = isAcknowledging ? consumedTo : -1;
    sim.history()
        .upstreamSent(number, epoch, bytes, said, context, false, isHalfClose, null, false);
  }

  private ByteBuf bytes(long from, long to) {
    return Unpooled.wrappedBuffer(Watcher.bytesAt(number, from, (int) (to - from)));
  }

  // --- for the simulation ---

  long number() {
    return number;
  }

  boolean isOver() {
    return isOver;
  }

  boolean isEchoing() {
    return !isOver && !isClosing && !isSilent && connection.isOpen();
  }

  @Override
  public String toString() {
    return number
        + "/"
        + epoch
        + " on the SDK, received "
        + received
        + " next "
        + next
        + " consumed "
        + consumed
        + (connection.isWaiting() ? " waiting" : "")
        + (isClientEnded ? " FIN" : "")
        + (isEnded ? " ended" : "")
        + (isReleaseAsked ? " release" : "");
  }
}
