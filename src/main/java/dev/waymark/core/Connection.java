package dev.waymark.core;

import dev.waymark.core.CloseReason.Origin;
import dev.waymark.core.ReplyStream.HeldCommit;
import dev.waymark.core.UpstreamControl.Push;
import dev.waymark.core.UpstreamControl.Released;
import io.netty.buffer.ByteBuf;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One client socket from accept to close: joins its two directions, its owner and its end. Confined
 * to its shard's thread.
 *
 * <p>Inputs come from the socket (onClient…, onWritten, onSocketClosed) and from the lane
 * (package-private); effects go to the {@link ClientSocket} and the {@link Lane}. What a byte meets
 * is in {@link ClientDirection} and {@link ReplyDirection}, how the owner changes in {@link
 * OwnerChange}, what may run out in {@link ConnectionDeadlines}.
 */
public final class Connection {
  private enum Phase {
    /** No owner; from accept, to ATTACHED or CLOSING. */
    WAITING,
    /** Owned; from WAITING, to CLOSING. */
    ATTACHED,
    /** The reason is known, the attachment over; the socket takes the last bytes. To CLOSED. */
    CLOSING,
    /** The socket is gone. */
    CLOSED
  }

  private final Shard shard;
  private final ShardListener listener;
  private final ShardPool pool;
  private final ClientSocket socket;
  private final Arrival arrival;
  private final Ownership ownership = new Ownership();
  private final ProgressClock progress;
  private final ClientDirection client;
  private final ReplyDirection replies;
  private final OwnerChange change;
  private final ConnectionEnd end;
  private final ConnectionDeadlines deadlines;

  private Phase phase = Phase.WAITING;
  private long phaseDeadlineNs;
  private long lastActivityNs;
  private long heldBytes;
  private boolean isReadingPaused;

  Connection(
      Shard shard,
      ShardListener listener,
      ClientSocket socket,
      Mark mark,
      long nowNs,
      long nowUnixMs) {
    this.shard = shard;
    this.listener = listener;
    this.pool = listener.pool();
    this.socket = socket;
    this.arrival = Arrival.of(mark, listener, socket, nowNs, nowUnixMs);
    this.lastActivityNs = nowNs;
    this.phaseDeadlineNs = nowNs + pool.options().noUpstreamWaitNs();
    this.progress = new ProgressClock(pool.options().moving().progressTimeoutNs());
    this.client = new ClientDirection(this, shard);
    this.replies = new ReplyDirection(this, shard, socket);
    this.change = new OwnerChange(this, shard, ownership, client, replies);
    AgeOptions age = listener.options().age();
    ConnectionAge limitedAge = age.isLimited() ? new ConnectionAge(age, mark, nowNs) : null;
    this.end = new ConnectionEnd(client, replies, limitedAge);
    this.deadlines = new ConnectionDeadlines(this, shard, limitedAge);
  }

  // --- inputs from the client ---

  /**
   * Bytes from the client.
   *
   * @param owned the reference passes to this method
   * @param isLast they end a framed message; never with raw framing
   */
  public void onClientBytes(long nowNs, ByteBuf owned, boolean isLast) {
    lastActivityNs = nowNs;
    listener.counters().add(Counter.CLIENT_RECEIVED_BYTES, owned.readableBytes());
    if (!isLive()) {
      owned.release();
      return;
    }
    if (client.receive(nowNs, ownership.lane(), owned, isLast)) {
      pump(nowNs);
    }
    settleHeld();
    if (!isReadingPaused && shard.isOverBudget()) {
      updateReading();
    }
  }

  /** The client sent FIN, after all its bytes. */
  public void onClientEnd(long nowNs) {
    lastActivityNs = nowNs;
    client.end();
    end.directionEnded(Origin.CLIENT);
    switch (phase) {
      case WAITING, ATTACHED -> pump(nowNs);
      case CLOSING -> closeWhenDrained();
      case CLOSED -> {}
    }
  }

  /**
   * The client's bytes cannot be cut into messages from here on. The messages before are still
   * answered: the connection ends when the owner is done with them, or with none of them for the
   * linger-timeout.
   */
  public void onClientBreach(long nowNs, CloseReason reason) {
    if (client.breach(nowNs, reason)) {
      endWhenDone(nowNs);
      armDeadline(nowNs);
    }
  }

  /**
   * Bytes of a message that is not complete wait at the edge, which says whenever their number
   * changes.
   */
  public void onClientPartial(int bytes) {
    client.partial(bytes);
    settleHeld();
  }

  /** The client's socket broke: CLIENT_RESET or CLIENT_TIMEOUT. */
  public void onClientLost(long nowNs, CloseReason reason) {
    endByBridge(nowNs, reason, Origin.CLIENT);
    socket.reset();
  }

  /**
   * The client's socket took bytes, in the order of {@link ClientSocket#write}, and with them so
   * many buffers to their end.
   */
  public void onWritten(long nowNs, long bytes, int pieces) {
    lastActivityNs = nowNs;
    replies.delivery().written(bytes, pieces);
    if (replies.stream().queuedBytes() == 0) {
      progress.resume(nowNs);
    }
    settleHeld();
    listener.counters().add(Counter.CLIENT_SENT_BYTES, bytes);
    switch (phase) {
      case ATTACHED -> {
        replies.grantCredit(nowNs, owner());
        if (isReadingPaused) {
          updateReading();
        }
        endWhenDone(nowNs);
      }
      case CLOSING -> closeWhenDrained();
      case WAITING, CLOSED -> {}
    }
  }

  /** The socket is closed, by either side; the last input. */
  public void onSocketClosed(long nowNs) {
    if (phase == Phase.CLOSED) {
      return;
    }
    endByBridge(nowNs, CloseReason.CLIENT_RESET, Origin.CLIENT);
    phase = Phase.CLOSED;
    settleHeld();
    shard.onConnectionGone(this, summary(nowNs), end.unixMs());
  }

  // --- inputs from the lane ---

  /** A new owner. */
  void attach(long nowNs, Lane owner) {
    Check.that(phase == Phase.WAITING, "only a waiting connection is attached");
    phase = Phase.ATTACHED;
    ownership.attach(nowNs, owner);
    replies.stream().granted();
    client.extendBreach(nowNs);
    owner.open(this, arrival.open(replies.stream().limitOffset(), change.reopen()));
    armDeadline(nowNs);
    pump(nowNs);
    if (client.stream().isEmpty() && !client.isAwaitingOwner()) {
      endPause(nowNs);
    }
    settleHeld();
  }

  /** A frame for this connection came on this lane. */
  void onFrame(long nowNs, Lane from, UpstreamFrame frame) {
    int bytes = frame.payload().readableBytes();
    if (!isLate(from, frame) && !from.isAcknowledging()) {
      // The socket may take all, and with that the connection end.
      replies.makeRoomFor(bytes);
    }
    if (isLate(from, frame)) {
      from.counters().add(Counter.FRAMES_FENCED, 1);
      return;
    }
    CloseReason breach = replies.breachOf(from, frame, client.stream().sentOffset());
    if (breach != null) {
      onBreach(nowNs, frame, breach);
      return;
    }
    replies.stream().receive(bytes);
    lastActivityNs = nowNs;
    progress.onSign(nowNs);
    if (frame.close() == 0) {
      endPause(nowNs);
    }
    if (frame.more() || replies.stream().isHolding()) {
      hold(nowNs, frame);
    } else {
      if (bytes > 0) {
        replies.deliver(frame.payload().retainedSlice());
      }
      commit(nowNs, frame.consumed(), frame.context(), frame.halfClose(), frame.close());
    }
    if (replies.stream().queuedBytes() > 0) {
      progress.pause(nowNs);
    }
    if (frame.control() instanceof Released && phase == Phase.ATTACHED) {
      change.onReleased(nowNs);
    }
    settleHeld();
  }

  /**
   * Bytes from any upstream, for the place where a reply ends (rule 6).
   *
   * @param reply told what became of them, once, now or later
   */
  void push(long nowNs, Push push, Consumer<PushResult> reply) {
    if (!isLive()) {
      reply.accept(PushResult.gone(push.id(), end.reason(), end.unixMs()));
      return;
    }
    replies.push(nowNs, push, reply);
    armDeadline(nowNs);
    settleHeld();
  }

  /** The owner's lane is open for more, or has shown whether it acknowledges. */
  void onLaneChanged(long nowNs) {
    if (phase == Phase.ATTACHED) {
      pump(nowNs);
      settleHeld();
    }
  }

  /** The owner has shown whether it acknowledges, and with it its window. */
  void onLaneDecided(long nowNs) {
    // From here on an owner that acknowledges is under the progress clock.
    progress.onProgress(nowNs);
    if (phase == Phase.ATTACHED) {
      if (owner().isNeverAcknowledging()) {
        client.stream().consumeAllSent();
      }
      pump(nowNs);
      if (phase == Phase.ATTACHED) {
        replies.grantCredit(nowNs, owner());
      }
      settleHeld();
      armDeadline(nowNs);
    }
  }

  /** The owner's lane broke; incomplete commits are as if they had never come (rule 3). */
  void onLaneLost(long nowNs, CloseReason reason) {
    if (phase == Phase.ATTACHED) {
      change.onLost(nowNs, reason);
    }
  }

  // --- inputs from the pool and the shard ---

  /** See {@link OwnerChange#release}. */
  boolean release(long nowNs, Reopen.Cause cause, @Nullable Lane destination) {
    boolean isBegun = phase == Phase.ATTACHED && change.release(nowNs, cause, destination);
    if (isBegun) {
      armDeadline(nowNs);
    }
    return isBegun;
  }

  /** See {@link OwnerChange#expel}. */
  void expel(long nowNs, Reopen.Cause cause) {
    if (phase == Phase.ATTACHED) {
      change.expel(nowNs, cause);
    }
  }

  /** See {@link OwnerChange#desert}. */
  void desert(long nowNs, Reopen.Cause cause) {
    if (phase == Phase.ATTACHED) {
      change.desert(nowNs, cause);
    }
  }

  /** All that might take it have refused it: they are asked again after a while. */
  void backOff(long nowNs) {
    ownership.backOff(nowNs);
    armDeadline(nowNs);
  }

  /** The bridge ends the connection: an upstream is told if there is one. */
  void endByBridge(long nowNs, CloseReason reason, Origin origin) {
    if (phase == Phase.ATTACHED) {
      owner().close(this, reason);
    }
    end(nowNs, reason, origin);
  }

  /**
   * Nothing is waited for any more: drops the socket in whatever phase, with a reset if replies are
   * lost by it.
   */
  void abandon() {
    if (replies.delivery().queuedBytes() > 0) {
      socket.reset();
    } else {
      socket.close();
    }
  }

  /** The process's budget was passed, or has room again. */
  void onBudgetChanged() {
    updateReading();
  }

  /** The bridge ends in so long: one that has an age ends at its own place within that time. */
  void onDrain(long nowNs, long timeoutNs) {
    deadlines.onDrain(nowNs, timeoutNs);
  }

  /** Something may have run out. */
  void onDeadline(long nowNs) {
    deadlines.onDeadline(nowNs);
  }

  /** Sends what is owed since {@link Shard#oweCredit}. */
  void sendOwedCredit() {
    replies.sendOwedCredit(ownership.lane());
  }

  /** Hands the turn's replies to the kernel. */
  void flush() {
    if (phase != Phase.CLOSED) {
      replies.flush();
    }
  }

  // --- inputs from its parts ---

  /** {@link OwnerChange}: there is no owner now, and another is needed. */
  void onOwnerLeft(long nowNs, long deadlineNs) {
    phase = Phase.WAITING;
    phaseDeadlineNs = deadlineNs;
    settleHeld();
    if (client.breach() != null) {
      endWhenDone(nowNs);
    }
    if (phase == Phase.WAITING && end.isDone()) {
      // Nothing is left for an owner to do.
      end(nowNs, CloseReason.DONE, end.firstToEnd());
    } else if (phase == Phase.WAITING) {
      pool.assignAgain(this);
      armDeadline(nowNs);
      updateReading();
    }
  }

  /** {@link ConnectionDeadlines}: all that refused are asked again. */
  void retry() {
    ownership.retry();
    pool.assignAgain(this);
  }

  /** {@link ConnectionDeadlines}: the client takes nothing more. */
  void resetSocket() {
    socket.reset();
  }

  /** {@link ConnectionDeadlines}: pushes were given up. */
  void onPushesExpired() {
    settleHeld();
  }

  /** {@link ConnectionDeadlines}: the client took something meanwhile. */
  void onClientMoved(long nowNs) {
    lastActivityNs = nowNs;
    if (phase == Phase.CLOSING) {
      phaseDeadlineNs = nowNs + shard.limits().lingerTimeoutNs();
    }
  }

  // --- transitions ---

  private void pump(long nowNs) {
    if (phase == Phase.ATTACHED) {
      client.pump(nowNs, owner());
      endWhenDone(nowNs);
    }
    updateReading();
  }

  private void updateReading() {
    boolean isPaused =
        switch (phase) {
          case WAITING ->
              client.heldBytes() >= pool.options().noUpstreamBytesMax() || shard.isOverBudget();
          case ATTACHED ->
              !client.stream().isEmpty() || shard.isOverBudget() || replies.isQueueLong(owner());
          case CLOSING, CLOSED -> false;
        };
    if (isPaused != isReadingPaused) {
      isReadingPaused = isPaused;
      if (isPaused) {
        listener.counters().add(Counter.READING_PAUSED, 1);
        socket.pauseReading();
      } else {
        socket.resumeReading();
      }
    }
  }

  private boolean isLate(Lane from, UpstreamFrame frame) {
    return phase != Phase.ATTACHED
        || from != ownership.lane()
        || Integer.compareUnsigned(frame.epoch(), ownership.epoch()) < 0;
  }

  private void onBreach(long nowNs, UpstreamFrame frame, CloseReason breach) {
    boolean isClose = !frame.more() && (frame.close() != 0 || replies.stream().isHoldingClose());
    if (isClose) {
      // Never answered (rule 8).
      end(nowNs, breach, Origin.UPSTREAM);
    } else {
      endByBridge(nowNs, breach, Origin.UPSTREAM);
    }
  }

  private void hold(long nowNs, UpstreamFrame frame) {
    HeldCommit whole = replies.hold(nowNs, frame);
    if (whole == null) {
      armDeadline(nowNs);
      return;
    }
    whole.payloads().forEach(replies::deliver);
    commit(nowNs, whole.consumed(), whole.context(), whole.isHalfClose(), whole.close());
  }

  /** All that one commit says takes effect at once (rule 3). */
  private void commit(
      long nowNs, long consumed, byte @Nullable [] context, boolean isHalfClose, int close) {
    Lane owner = owner();
    boolean isConsuming = consumed != UpstreamFrame.ABSENT;
    if (context != null) {
      replies.context(context);
    }
    if (isConsuming || owner.isNeverAcknowledging()) {
      replies.endReply();
    }
    if (isHalfClose) {
      replies.end();
      end.directionEnded(Origin.UPSTREAM);
      if (close == 0) {
        socket.finish();
      }
    }
    if (isConsuming) {
      consume(nowNs, consumed, close == 0);
    }
    if (close != 0) {
      onClose(nowNs, CloseReason.ofWireCode(close));
      return;
    }
    if (isConsuming && !client.stream().isEmpty()) {
      pump(nowNs);
    } else if (replies.isQueueLong(owner)) {
      updateReading();
    }
    endWhenDone(nowNs);
  }

  private void consume(long nowNs, long consumed, boolean isAnswer) {
    if (isAnswer) {
      ownership.onAnswer();
    }
    if (consumed > client.stream().consumedOffset()) {
      ownership.onProgress();
      progress.onProgress(nowNs);
      client.extendBreach(nowNs);
    }
    boolean wasSent = client.stream().consume(consumed);
    Check.that(wasSent, "consumed was checked when it came");
  }

  private void onClose(long nowNs, CloseReason reason) {
    if (reason.isRefusal()) {
      change.onRefused(nowNs, reason);
    } else {
      end(nowNs, reason, Origin.UPSTREAM);
    }
  }

  private void endPause(long nowNs) {
    long pauseNs = ownership.takePauseNs(nowNs);
    if (pauseNs >= 0) {
      listener.counters().addPause(pauseNs);
    }
  }

  // --- the end ---

  private void endWhenDone(long nowNs) {
    CloseReason breach = client.breach();
    if (breach != null) {
      if (isLive() && end.isAnswered()) {
        endByBridge(nowNs, breach, breach.origin());
      }
      return;
    }
    endWhenOld(nowNs);
    if (phase == Phase.ATTACHED && end.isDoneAndWritten()) {
      endByBridge(nowNs, CloseReason.DONE, end.firstToEnd());
    }
  }

  /** Past its age: at a place where nothing is lost, or when the grace is over. */
  void endWhenOld(long nowNs) {
    if (isLive() && end.isOldEnough(nowNs, ownership.lane(), lastActivityNs)) {
      endByBridge(nowNs, CloseReason.CONNECTION_AGE, Origin.BRIDGE);
    }
  }

  /** The connection ends; an upstream knows, or there is none. */
  void end(long nowNs, CloseReason reason, Origin origin) {
    if (!isLive()) {
      return;
    }
    end.ended(reason, origin, arrival.unixMs(nowNs));
    replies.endPushes(reason, end.unixMs());
    detach();
    phase = Phase.CLOSING;
    client.stream().release();
    replies.stream().dropHeld();
    settleHeld();
    phaseDeadlineNs = nowNs + shard.limits().lingerTimeoutNs();
    if (reason.isAbortive()) {
      socket.reset();
      return;
    }
    armDeadline(nowNs);
    socket.finish();
    updateReading();
    closeWhenDrained();
  }

  private void detach() {
    Lane owner = ownership.lane();
    ownership.end();
    if (owner == null) {
      pool.stopWaiting(this);
    } else {
      owner.detached(this);
    }
  }

  /**
   * All bytes written and the client's FIN seen, or it is known to be gone: closing earlier would
   * make the kernel send RST for client bytes not read, and RST may overtake replies (RFC 1122,
   * 4.2.2.13).
   */
  private void closeWhenDrained() {
    if (replies.delivery().queuedBytes() == 0 && client.stream().isEnded()) {
      socket.close();
    }
  }

  /**
   * Tells the shard what changed in {@link #heldBytes}: at the end of each input that may have
   * changed it.
   */
  private void settleHeld() {
    long now = heldBytes();
    shard.hold(now - heldBytes);
    heldBytes = now;
  }

  /** Puts the earliest of what may run out into the wheel. */
  void armDeadline(long nowNs) {
    deadlines.arm(nowNs);
  }

  // --- outputs ---

  /** The second half of its mark. */
  public long sequence() {
    return arrival.mark().sequence();
  }

  public Mark mark() {
    return arrival.mark();
  }

  Arrival arrival() {
    return arrival;
  }

  int epoch() {
    return ownership.epoch();
  }

  /** Its owner; null while there is none. */
  @Nullable Lane lane() {
    return ownership.lane();
  }

  Ownership ownership() {
    return ownership;
  }

  ClientDirection client() {
    return client;
  }

  ReplyDirection replies() {
    return replies;
  }

  OwnerChange change() {
    return change;
  }

  ProgressClock progress() {
    return progress;
  }

  ShardListener listener() {
    return listener;
  }

  ShardPool pool() {
    return pool;
  }

  /** Neither ended nor about to. */
  boolean isLive() {
    return phase == Phase.WAITING || phase == Phase.ATTACHED;
  }

  boolean isWaiting() {
    return phase == Phase.WAITING;
  }

  boolean isClosing() {
    return phase == Phase.CLOSING;
  }

  /** When the wait for an owner, or for the socket to take the last bytes, is over. */
  long phaseDeadlineNs() {
    return phaseDeadlineNs;
  }

  long lastActivityNs() {
    return lastActivityNs;
  }

  /** Its owner was sent bytes that it has not consumed. */
  boolean isAwaitingOwner() {
    return phase == Phase.ATTACHED && client.isAwaitingOwner();
  }

  /** Whether it has an owner from this pool, or waits for one. */
  boolean isIn(ShardPool of) {
    return pool == of && isLive();
  }

  String clientHost() {
    return socket.clientHost();
  }

  DeadlineWheel.Node deadlineNode() {
    return deadlines.node();
  }

  /** Memory of what goes to the client. */
  long heldReplyBytes() {
    return phase == Phase.CLOSED ? 0 : replies.heldBytes();
  }

  /** All that it holds in memory. */
  long heldBytes() {
    return phase == Phase.CLOSED ? 0 : replies.heldBytes() + client.heldBytesWithPartial();
  }

  private Lane owner() {
    return Objects.requireNonNull(ownership.lane());
  }

  void checkInvariants() {
    client.stream().checkInvariants();
    replies.stream().checkInvariants();
    Check.that((phase == Phase.ATTACHED) == (ownership.lane() != null), "attached means owned");
    Check.that(isLive() == (end.reason() == null), "an end has a reason");
  }

  private ConnectionSummary summary(long nowNs) {
    return new ConnectionSummary(
        arrival.mark(),
        arrival.listener().name(),
        arrival.clientAddress(),
        ownership.history(),
        client.stream().receivedOffset(),
        replies.delivery().writtenBytes(),
        nowNs - arrival.acceptedNs(),
        end.origin(),
        Objects.requireNonNullElse(end.reason(), CloseReason.INTERNAL));
  }

  ConnectionStatus status() {
    Lane owner = ownership.lane();
    return new ConnectionStatus(
        arrival.mark(),
        arrival.listener().name(),
        arrival.clientAddress(),
        arrival.localAddress(),
        pool.options().name(),
        owner == null ? null : owner.upstream().address(),
        phase.name().toLowerCase(Locale.ROOT),
        arrival.acceptedUnixMs(),
        client.stream().receivedOffset(),
        replies.delivery().writtenBytes(),
        client.stream().receivedOffset() - client.stream().consumedOffset(),
        replies.delivery().queuedBytes());
  }
}
