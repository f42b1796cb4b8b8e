package dev.waymark.engine.connection;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.DeadlineWheel;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.connection.ConnectionDeadlines.Deadline;
import dev.waymark.engine.connection.Ownership.HandOver;
import dev.waymark.engine.stream.ClientSocket;
import dev.waymark.engine.stream.ClientStream;
import dev.waymark.engine.stream.ReplyDirection;
import dev.waymark.engine.stream.ReplyStream.HeldCommit;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.ResumeState;
import dev.waymark.protocol.UpstreamControl.Push;
import dev.waymark.protocol.UpstreamControl.Released;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One client socket from accept to close. Confined to its shard's thread.
 *
 * <p>A connection waits for an owner, is attached to one, ends while the socket takes the last
 * bytes, and is closed. It combines machines that do not know it: {@link ClientStream} holds what
 * came from the client, {@link ReplyDirection} what goes to it, {@link Ownership} who owns it and
 * who is to be avoided, {@link ProgressClock} whether the owner works, {@link ConnectionAge} and
 * {@link ConnectionEnd} when and why it ends. Each receives inputs and returns what should happen;
 * only this class acts on that.
 *
 * <p><b>Replay.</b> A client must not notice that its upstream died. So bytes that an owner was
 * sent are kept until it says {@code consumed}, and replies take effect only as whole commits, each
 * of which says how much it consumed. Whatever happens to the owner, {@code consumed} and the
 * replies that took effect then describe the same instant: a new owner is sent the bytes from
 * {@code consumed} on, and told how many reply bytes have taken effect. Offsets are absolute, so a
 * message that is lost with its lane does no harm. The cost is one window of memory for each
 * connection with work under way, and none for an idle one (rules 1 to 4).
 *
 * <p>Inputs come from the socket (onClient…, {@link #onWritten}, {@link #onSocketClosed}), from the
 * {@link Owner} and from the {@link ConnectionHost}; effects go to these three. Each input ends by
 * settling memory and deadlines.
 */
public final class Connection implements Owner.Attached, DeadlineWheel.Timed {
  private final ConnectionHost host;
  private final ConnectionInfo info;
  private final ClientSocket socket;
  private final ReplyDirection replies;
  private final ProgressClock progress;
  private final ClientDirection sending;
  private final ClientStream client;
  private final Ownership ownership;
  private final ConnectionEnd end;
  private final ConnectionDeadlines deadlines;

  private long heldBytes;
  private boolean isReadingPaused;

  /** Creates a connection without an owner; the caller gives it to the pool. */
  public Connection(ConnectionHost host, ConnectionInfo info, ClientSocket socket, long nowNs) {
    this.host = host;
    this.info = info;
    this.socket = socket;
    this.replies = new ReplyDirection(host.limits(), socket);
    this.progress = new ProgressClock(host.pool().moving().progressTimeoutNs());
    this.sending = new ClientDirection(this, replies, progress);
    this.client = sending.stream();
    this.ownership = new Ownership(this, client, replies, progress);
    AgeOptions age = info.listener().age();
    this.end =
        new ConnectionEnd(
            client,
            replies.stream(),
            age.isLimited() ? new ConnectionAge(age, info.mark(), nowNs) : null);
    this.deadlines =
        new ConnectionDeadlines(
            this, sending, replies, ownership, progress, end, info.listener(), nowNs);
    deadlines.phaseEndsAt(nowNs + host.pool().noUpstreamWaitNs());
  }

  // --- inputs from the client ---

  /**
   * Bytes came from the client.
   *
   * @param owned the reference passes to this method
   * @param isLast whether they end a framed message; never with raw framing
   */
  public void onClientBytes(long nowNs, ByteBuf owned, boolean isLast) {
    deadlines.onActivity(nowNs);
    deadlines.onFirstByte();
    host.counters().add(Counter.CLIENT_RECEIVED_BYTES, owned.readableBytes());
    if (!isLive()) {
      owned.release();
      return;
    }
    if (client.isConsumed()) {
      progress.onServed(host.elapsedNs(nowNs));
    }
    Owner owner = ownership.owner();
    if (owner == null || !sending.pass(nowNs, owner, ownership.isHandingOver(), owned, isLast)) {
      client.enqueue(owned, isLast);
      pump(nowNs);
    }
    settleHeld();
    if (!isReadingPaused && host.isOverBudget()) {
      updateReading();
    }
  }

  /** The client sent FIN, after all its bytes. */
  public void onClientEnd(long nowNs) {
    deadlines.onActivity(nowNs);
    client.end();
    end.onDirectionEnded(Origin.CLIENT);
    if (isLive()) {
      pump(nowNs);
    } else {
      closeWhenDrained();
    }
  }

  /**
   * The client's bytes cannot be cut into messages from here on. Earlier messages are still
   * answered: the connection ends when the owner has consumed them, or has made no progress for the
   * linger timeout.
   */
  public void onClientViolation(long nowNs, CloseReason reason) {
    if (client.violation(reason)) {
      extendViolation(nowNs);
      endIfDone(nowNs);
      armDeadline(nowNs);
    }
  }

  /** This many bytes of an incomplete message wait at the edge. Called whenever that changes. */
  public void onClientPartial(long nowNs, int bytes) {
    if (bytes > 0) {
      deadlines.onActivity(nowNs);
      deadlines.onFirstByte();
    }
    client.partial(bytes);
    settleHeld();
  }

  /** The client's socket broke, or can no longer be trusted. */
  public void onClientLost(long nowNs, CloseReason reason) {
    endByBridge(nowNs, reason, reason.origin());
    resetSocket();
  }

  /**
   * The client's socket took bytes, in the order of {@link ClientSocket#write}, and with them this
   * many buffers completely.
   */
  public void onWritten(long nowNs, long bytes, int buffers) {
    deadlines.onActivity(nowNs);
    replies.written(bytes, buffers);
    if (replies.stream().queuedBytes() == 0) {
      progress.resume(nowNs, host.elapsedNs(nowNs));
    }
    settleHeld();
    host.counters().add(Counter.CLIENT_SENT_BYTES, bytes);
    Owner owner = ownership.owner();
    if (owner == null) {
      closeWhenDrained();
      return;
    }
    sendCredit(nowNs, owner);
    if (isReadingPaused) {
      updateReading();
    }
    endIfDone(nowNs);
  }

  /** The socket is closed, by either side; the last input. */
  public void onSocketClosed(long nowNs) {
    if (end.isClosed()) {
      return;
    }
    endByBridge(nowNs, CloseReason.CLIENT_RESET, Origin.CLIENT);
    end.onSocketClosed();
    settleHeld();
    deadlines.disarm(host.wheel());
    host.onClosed(
        this,
        ConnectionSummary.of(info, ownership, client, replies, end, host.elapsedNs(nowNs)),
        end.unixMs());
  }

  // --- inputs from the owner ---

  /**
   * A frame for this connection came on this lane.
   *
   * @return false if it came from a former owner and was dropped (rule 3)
   */
  public boolean onFrame(long nowNs, Owner from, UpstreamFrame frame) {
    int bytes = frame.payload().readableBytes();
    if (!ownership.isFenced(from, frame) && !from.isAcknowledging()) {
      replies.makeRoomFor(bytes);
    }
    // Asked again: making room flushes the socket, and the last byte written may have ended the
    // connection.
    if (ownership.isFenced(from, frame)) {
      settleHeld();
      return false;
    }
    CloseReason violation = ownership.violationOf(frame);
    if (violation == null) {
      onCommit(nowNs, frame, bytes);
    } else if (isClose(frame)) {
      // Never answered (rule 8).
      endWithoutTelling(nowNs, violation, Origin.UPSTREAM);
    } else {
      endByBridge(nowNs, violation, Origin.UPSTREAM);
    }
    settleHeld();
    return true;
  }

  @Override
  public void onOwnerChanged(long nowNs) {
    if (ownership.owner() != null) {
      pump(nowNs);
      settleHeld();
    }
  }

  /** It is decided whether the owner acknowledges, and with that its window. */
  public void onOwnerDecided(long nowNs) {
    // The progress clock of an owner that acknowledges starts here.
    progress.onProgress(nowNs);
    Owner owner = ownership.owner();
    if (owner == null) {
      return;
    }
    if (owner.isAtMostOnce()) {
      client.consumeAllSent();
    }
    pump(nowNs);
    if (ownership.owner() != null) {
      sendCredit(nowNs, owner);
    }
    settleHeld();
    armDeadline(nowNs);
  }

  /** The lane of the owner is gone. */
  public void onOwnerLost(long nowNs, CloseReason reason) {
    if (!isResumable()) {
      endWithoutTelling(nowNs, reason, Origin.UPSTREAM);
    } else if (survivesLoss(nowNs, false)) {
      leave(nowNs, ResumeState.Cause.LANE_BROKEN, false);
    }
  }

  // --- inputs from its pool; the connection waits for an owner ---

  /** Attaches the connection to a new owner. */
  public void attach(long nowNs, Owner owner) {
    Check.that(isWaiting(), "only a waiting connection is attached");
    ownership.attach(nowNs, owner);
    replies.stream().creditSent();
    extendViolation(nowNs);
    owner.open(
        this,
        info.open(
            replies.stream().limitOffset(),
            ownership.resumeState(host.limits().replyWindowBytes())));
    armDeadline(nowNs);
    pump(nowNs);
    if (client.isEmpty() && !client.isAwaitingOwner()) {
      endPause(nowNs);
    }
    settleHeld();
  }

  /**
   * All candidates have refused it: asks them again after a while, or ends it if refusals have gone
   * on for too long (rule 8).
   */
  public void backOff(long nowNs) {
    long patienceNs = host.pool().noUpstreamWaitNs();
    CloseReason reason = ownership.refusedFor(nowNs, patienceNs);
    if (reason != null) {
      endWithoutTelling(nowNs, reason, Origin.UPSTREAM);
    } else {
      ownership.backOff(nowNs, patienceNs);
      armDeadline(nowNs);
    }
  }

  /** No upstream is there to take it, and it may not wait: it ends. */
  public void refuse(long nowNs) {
    endByBridge(nowNs, CloseReason.NO_UPSTREAM, Origin.BRIDGE);
  }

  // --- inputs from its pool; the connection is attached ---

  /**
   * Asks the owner to hand the connection over.
   *
   * @param destination null if it is chosen when the owner has released the connection
   * @return whether the handover has begun
   */
  public boolean release(long nowNs, ResumeState.Cause cause, @Nullable Owner destination) {
    long timeoutNs = host.pool().moving().releaseTimeoutNs();
    boolean isBegun = ownership.release(nowNs, cause, destination, timeoutNs);
    if (isBegun) {
      armDeadline(nowNs);
    }
    return isBegun;
  }

  /**
   * The owner has had its time to drain and cannot hand over: moves the connection without its
   * help.
   */
  public void forceMove(long nowNs, ResumeState.Cause cause) {
    if (!ownership.isHandingOver()) {
      if (isResumable()) {
        fence(nowNs, cause, ForcedDetach.Why.DRAIN_OVERDUE);
      } else {
        endByBridge(nowNs, CloseReason.SHUTTING_DOWN, Origin.UPSTREAM);
      }
    }
  }

  /**
   * The owner no longer leads and cannot hand over: moves the connection if another owner can
   * resume it.
   */
  public void abandonOwner(long nowNs, ResumeState.Cause cause) {
    if (!ownership.isHandingOver() && isResumable()) {
      fence(nowNs, cause, ForcedDetach.Why.LEADER_CHANGED);
    }
  }

  // --- inputs from its shard ---

  /** Pauses or resumes reading from the client, as memory and queues allow. */
  public void updateReading() {
    boolean isPaused = shouldPauseReading();
    if (isPaused != isReadingPaused) {
      isReadingPaused = isPaused;
      if (isPaused) {
        host.counters().add(Counter.READING_PAUSED, 1);
        socket.pauseReading();
      } else {
        socket.resumeReading();
      }
    }
  }

  /**
   * A push from any upstream, to be written between replies (rule 6).
   *
   * @param reply gets the result, once, now or later
   */
  public void push(long nowNs, Push push, Consumer<PushResult> reply) {
    if (!isLive()) {
      reply.accept(PushResult.gone(push.id(), end.reason(), end.unixMs()));
      return;
    }
    flushIfDue(replies.push(nowNs, push, reply, ownership.epoch(), host.isOverBudget()));
    armDeadline(nowNs);
    settleHeld();
  }

  /** Sends what is owed since {@link ConnectionHost#oweCredit}. */
  public void sendOwedCredit() {
    Owner owner = ownership.owner();
    if (replies.takeOwedCredit(owner != null && owner.isAcknowledging()) && owner != null) {
      owner.limit(this, replies.stream().limitOffset());
    }
  }

  /** Hands the turn's replies to the kernel. */
  public void flush() {
    if (!end.isClosed()) {
      replies.flush();
    }
  }

  /** The bridge drains: a connection with an age limit ends within this time. */
  public void onDrain(long nowNs, long timeoutNs) {
    if (end.onDrain(nowNs, timeoutNs)) {
      armDeadline(nowNs);
    }
  }

  /** Ends the connection and tells its owner, if there is one. */
  public void endByBridge(long nowNs, CloseReason why, Origin by) {
    endByBridge(nowNs, why, by, why.isAbortive());
  }

  private void endByBridge(long nowNs, CloseReason why, Origin by, boolean isReset) {
    Owner owner = ownership.owner();
    if (owner != null) {
      owner.close(this, why);
    }
    endWithoutTelling(nowNs, why, by, isReset);
  }

  /**
   * An operator closes it.
   *
   * @param isReset whether the client gets an RST at once instead of a FIN after the last byte
   */
  public void onOperatorClose(long nowNs, boolean isReset) {
    if (isLive()) {
      endByBridge(nowNs, CloseReason.OPERATOR, Origin.BRIDGE, isReset);
    } else if (isReset && !end.isDropped()) {
      // Its client has not answered the FIN.
      resetSocket();
    }
  }

  /** Drops the socket now, with a reset if that loses replies. */
  public void abandon() {
    if (replies.queuedBytes() > 0) {
      resetSocket();
    } else {
      closeSocket();
    }
  }

  @Override
  public void onDeadline(long nowNs) {
    for (Deadline which : ConnectionDeadlines.ALL) {
      if (deadlines.isDue(which, nowNs)) {
        onDue(nowNs, which);
      }
    }
    armDeadline(nowNs);
  }

  /** Puts the earliest deadline into the wheel. */
  public void armDeadline(long nowNs) {
    deadlines.arm(host.wheel(), nowNs);
  }

  // --- outputs ---

  @Override
  public long sequence() {
    return info.mark().sequence();
  }

  @Override
  public Mark mark() {
    return info.mark();
  }

  @Override
  public int epoch() {
    return ownership.epoch();
  }

  public ConnectionInfo info() {
    return info;
  }

  /** The counters of the listener that accepted it. */
  public Counters counters() {
    return host.counters();
  }

  /** Null while there is none. */
  public @Nullable Owner owner() {
    return ownership.owner();
  }

  public Ownership ownership() {
    return ownership;
  }

  /** Whether it has not ended. */
  public boolean isLive() {
    return end.isLive();
  }

  /** Whether it needs an owner and has none. */
  public boolean isWaiting() {
    return isLive() && ownership.owner() == null;
  }

  /** Whether the owner has unconsumed bytes. */
  public boolean isAwaitingOwner() {
    return ownership.owner() != null && client.isAwaitingOwner();
  }

  /** Whether it belongs to this pool and has not ended. */
  public boolean isIn(String pool) {
    return isLive() && info.listener().pool().equals(pool);
  }

  /** The client's IP address without port. */
  public String clientHost() {
    return socket.clientHost();
  }

  /** The memory held for replies and pushes to the client. */
  public long heldReplyBytes() {
    return end.isDropped() ? 0 : replies.heldBytes();
  }

  /** The memory held in both directions. */
  public long heldBytes() {
    return end.isDropped() ? 0 : replies.heldBytes() + heldClientBytes() + client.partialBytes();
  }

  /** The offset up to which client bytes were sent to the owner. */
  public long sentOffset() {
    return client.sentOffset();
  }

  /** Returns a snapshot for operators. */
  public ConnectionStatus status() {
    return ConnectionStatus.of(info, ownership, client, replies, end);
  }

  public void checkInvariants() {
    client.checkInvariants();
    replies.stream().checkInvariants();
    Check.that(isLive() || ownership.owner() == null, "an ended connection has no owner");
    Check.that(
        !isLive() || !ownership.isSuspect() || !client.isConsumed(),
        "a suspect has bytes that are not consumed");
  }

  // --- client bytes to the owner (rules 1, 2, 3, 6 and 10) ---

  /** Sends what may be sent, if there is an owner. */
  private void pump(long nowNs) {
    Owner owner = ownership.owner();
    if (owner != null) {
      if (sending.pump(nowNs, owner, ownership.isHandingOver(), host.pool().noUpstreamWaitNs())) {
        armDeadline(nowNs);
      }
      endIfDone(nowNs);
    }
    updateReading();
  }

  /** The client is read no faster than its bytes are passed on (rule 10). */
  private boolean shouldPauseReading() {
    Owner owner = ownership.owner();
    if (owner != null) {
      return !client.isEmpty() || host.isOverBudget() || isQueueLong(owner);
    }
    return isWaiting()
        && (heldClientBytes() >= host.pool().noUpstreamBytesMax() || host.isOverBudget());
  }

  /** An owner without credit can only be slowed down by holding back requests (rule 5). */
  private boolean isQueueLong(Owner owner) {
    return !owner.isAcknowledging() && replies.isQueueLong();
  }

  /** The memory of client bytes that wait to be sent or may have to be sent again. */
  private long heldClientBytes() {
    return client.heldBytes() + (long) client.buffers() * host.limits().bufferOverheadBytes();
  }

  // --- frames from the owner (rules 3, 4 and 8) ---

  private boolean isClose(UpstreamFrame frame) {
    return !frame.more() && (frame.close() != 0 || replies.stream().isHoldingClose());
  }

  /** A valid frame came: a commit or a part of one. */
  private void onCommit(long nowNs, UpstreamFrame frame, int bytes) {
    replies.stream().receive(bytes);
    deadlines.onActivity(nowNs);
    progress.onSign(nowNs);
    if (frame.more() || replies.stream().isHolding()) {
      hold(nowNs, frame);
    } else {
      apply(nowNs, frame, bytes);
    }
    if (replies.stream().queuedBytes() > 0) {
      progress.pause(nowNs);
    }
    HandOver handOver = ownership.handOver();
    if (frame.control() instanceof Released && ownership.owner() != null && handOver != null) {
      leave(nowNs, handOver.cause(), true);
    }
  }

  private void apply(long nowNs, UpstreamFrame frame, int bytes) {
    if (bytes > 0) {
      flushIfDue(replies.deliver(frame.payload().retainedSlice()));
    }
    boolean isServing =
        bytes > 0 || frame.consumed() > client.consumedOffset() || frame.halfClose();
    if (isServing) {
      onSessionBegun();
    }
    if (isServing && frame.close() == 0) {
      onServed(nowNs);
    }
    commit(nowNs, frame.consumed(), frame.context(), frame.halfClose(), frame.close());
  }

  private void hold(long nowNs, UpstreamFrame frame) {
    HeldCommit whole = replies.hold(nowNs, frame);
    if (whole == null) {
      armDeadline(nowNs);
      return;
    }
    if (!whole.payloads().isEmpty()
        || whole.consumed() > client.consumedOffset()
        || whole.isHalfClose()) {
      onSessionBegun();
    }
    if (whole.close() == 0) {
      onServed(nowNs);
    }
    for (ByteBuf payload : whole.payloads()) {
      flushIfDue(replies.deliver(payload));
    }
    commit(nowNs, whole.consumed(), whole.context(), whole.isHalfClose(), whole.close());
  }

  /** The client gets a reply, or its bytes were consumed: it is served. */
  private void onServed(long nowNs) {
    progress.onServed(host.elapsedNs(nowNs));
    endPause(nowNs);
  }

  /**
   * The session of an owner to which connections are pinned has begun: nobody else can resume it.
   */
  private void onSessionBegun() {
    Owner owner = ownership.owner();
    if (owner != null && owner.isPinned() && !ownership.isHandingOver()) {
      client.forgetSent();
    }
  }

  /** Applies everything that one commit says, at once (rule 3). */
  private void commit(
      long nowNs, long consumed, byte @Nullable [] context, boolean isHalfClose, int close) {
    Owner owner = ownership.requireOwner();
    boolean isConsuming = consumed != UpstreamFrame.ABSENT;
    if (context != null) {
      replies.context(context);
    }
    if (isConsuming || isWithoutReplyEnds(owner)) {
      flushIfDue(replies.endReply());
    }
    // A repeated half-close changes nothing: owners answer the client's end even if a former one
    // ended the replies.
    if (isHalfClose && !replies.stream().isEnded()) {
      replies.end();
      end.onDirectionEnded(Origin.UPSTREAM);
      if (close == 0) {
        socket.finish();
      }
    }
    if (isConsuming) {
      consume(nowNs, owner, consumed, close == 0);
    }
    if (close != 0) {
      onClose(nowNs, owner, CloseReason.saidByUpstream(close));
      return;
    }
    if (isConsuming && !client.isEmpty()) {
      pump(nowNs);
    } else if (isQueueLong(owner)) {
      updateReading();
    }
    endIfDone(nowNs);
  }

  private void consume(long nowNs, Owner owner, long consumed, boolean isAnswer) {
    if (isAnswer) {
      ownership.onAnswer();
    }
    if (consumed > client.consumedOffset()) {
      boolean hadLostAlone = ownership.hasLostAlone();
      if (ownership.onProgress()) {
        host.onCleared(this, owner, hadLostAlone);
      }
      progress.onProgress(nowNs);
      extendViolation(nowNs);
    }
    boolean wasSent = client.consume(consumed);
    Check.that(wasSent, "consumed was checked when it came");
  }

  private void onClose(long nowNs, Owner refuser, CloseReason reason) {
    if (!reason.isRefusal()) {
      endWithoutTelling(nowNs, reason, Origin.UPSTREAM);
      return;
    }
    refuser.reportOutlier(OutlierSignal.OPEN_REFUSED);
    if (ownership.isResumableAfterRefusal(host.pool().moving().isResumingAtMostOnce())) {
      long patienceNs = host.pool().noUpstreamWaitNs();
      ownership.onRefused(nowNs, reason, patienceNs);
      leave(nowNs, ResumeState.Cause.REFUSED, false);
    } else {
      endWithoutTelling(nowNs, reason, Origin.UPSTREAM);
    }
  }

  /** Sends credit: at once if it is much, else soon, with data or without. */
  private void sendCredit(long nowNs, Owner owner) {
    if (owner.isAcknowledging()) {
      switch (replies.freeCredit()) {
        case NONE -> {}
        case SEND -> owner.limit(this, replies.stream().limitOffset());
        case OWE -> host.oweCredit(nowNs, this);
      }
    }
  }

  private void flushIfDue(boolean isDue) {
    if (isDue) {
      host.flushAtTurnEnd(this);
    }
  }

  // --- from one owner to the next (rules 3, 8 and 9) ---

  /** The owner is alive but does not do its part: takes the connection away. */
  private void fence(long nowNs, ResumeState.Cause cause, ForcedDetach.Why why) {
    Owner owner = ownership.requireOwner();
    reportForcedDetach(nowNs, why);
    ownership.avoid(owner.upstreamAddress());
    if (survivesLoss(nowNs, true)) {
      owner.close(this, CloseReason.FENCED);
      leave(nowNs, cause, false);
    }
  }

  /** Reports that the owner did not do its part. */
  private void reportForcedDetach(long nowNs, ForcedDetach.Why why) {
    host.onForcedDetach(ownership.forcedDetach(nowNs, host.elapsedNs(nowNs), why));
  }

  /** Returns false if the connection is proven to kill its owners, and has ended with POISON. */
  private boolean survivesLoss(long nowNs, boolean isFenced) {
    long afterNs = progress.waitedNs(nowNs);
    if (client.isAwaitingOwner()
        && ownership.onLoss(host.lossOf(this, ownership.requireOwner(), isFenced), afterNs)) {
      endByBridge(nowNs, CloseReason.POISON, Origin.CLIENT);
      return false;
    }
    return true;
  }

  /** Whether another owner can continue where this one stopped. */
  private boolean isResumable() {
    return ownership.isResumable(host.pool().moving().isResumingAtMostOnce());
  }

  /** The connection leaves its owner, and needs another. */
  private void leave(long nowNs, ResumeState.Cause cause, boolean isHandedOver) {
    long replayedBytes = ownership.leave(cause, isHandedOver, host.elapsedNs(nowNs));
    host.counters().add(Counter.REPLAYED_BYTES, replayedBytes);
    host.counters().addMoved(cause);
    deadlines.phaseEndsAt(nowNs + host.pool().noUpstreamWaitNs());
    settleHeld();
    offer(nowNs);
  }

  /** Offers the connection to its pool, unless there is nothing left to do. */
  private void offer(long nowNs) {
    if (client.violation() != null) {
      endIfDone(nowNs);
    }
    if (isWaiting() && end.isDone()) {
      endWithoutTelling(nowNs, CloseReason.DONE, end.firstToEnd());
    } else if (isWaiting()) {
      host.offer(this);
      armDeadline(nowNs);
      updateReading();
    }
  }

  /** An owner serves the connection: ends the pause, if there was one. */
  private void endPause(long nowNs) {
    Ownership.Pause pause = ownership.takePause(host.elapsedNs(nowNs));
    if (pause != null) {
      host.counters().addPause(pause.detectionNs(), pause.moveNs());
    }
  }

  // --- the end (rule 8) ---

  /** Something was sent, consumed or written: ends the connection if nothing is left to do. */
  private void endIfDone(long nowNs) {
    CloseReason due = end.due(nowNs, ownership.owner() != null, isBetweenReplies(nowNs));
    if (due != null) {
      endByBridge(nowNs, due, end.originOf(due));
    }
  }

  /** An owner that does not say where its replies end: each of its frames may be the last one. */
  private static boolean isWithoutReplyEnds(Owner owner) {
    return owner.isAtMostOnce() || owner.isPinned();
  }

  /** Where replies do not say that they are complete, only silence does. */
  private boolean isBetweenReplies(long nowNs) {
    Owner owner = ownership.owner();
    return (owner != null && isWithoutReplyEnds(owner))
        ? deadlines.silenceNs(nowNs) >= ConnectionAge.SILENCE_NS
        : replies.stream().isBetweenReplies();
  }

  /** Ends the connection, unless it has ended. The owner knows already, or there is none. */
  private void endWithoutTelling(long nowNs, CloseReason why, Origin by) {
    endWithoutTelling(nowNs, why, by, why.isAbortive());
  }

  private void endWithoutTelling(long nowNs, CloseReason why, Origin by, boolean isReset) {
    if (!isLive()) {
      return;
    }
    end.end(why, by, info.unixMs(host.elapsedNs(nowNs)));
    replies.endPushes(why, end.unixMs());
    if (!ownership.end()) {
      host.withdraw(this);
    }
    client.release();
    replies.stream().dropHeld();
    settleHeld();
    linger(nowNs);
    if (isReset) {
      resetSocket();
      return;
    }
    armDeadline(nowNs);
    socket.finish();
    updateReading();
    closeWhenDrained();
  }

  /**
   * Closes the socket when all bytes are written and the client has sent FIN. Closing earlier would
   * make the kernel send RST for unread client bytes, and RST may overtake replies (RFC 1122,
   * 4.2.2.13).
   */
  private void closeWhenDrained() {
    if (end.isClosing() && replies.queuedBytes() == 0 && client.isEnded()) {
      closeSocket();
    }
  }

  /** Resets the socket, and drops what it has not taken. */
  private void resetSocket() {
    end.onDropped();
    settleHeld();
    socket.reset();
  }

  private void closeSocket() {
    end.onDropped();
    settleHeld();
    socket.close();
  }

  /** Restarts the linger timeout, within which the socket has to take bytes. */
  private void linger(long nowNs) {
    deadlines.phaseEndsAt(nowNs + host.limits().lingerTimeoutNs());
  }

  private void extendViolation(long nowNs) {
    sending.extendViolation(nowNs, host.limits().lingerTimeoutNs());
  }

  /** Tells the host how {@link #heldBytes} has changed; called after anything that changes it. */
  private void settleHeld() {
    long now = heldBytes();
    host.hold(now - heldBytes);
    heldBytes = now;
  }

  // --- deadlines ---

  private void onDue(long nowNs, Deadline which) {
    switch (which) {
      case PUSH -> {
        replies.expirePushes(nowNs);
        settleHeld();
      }
      case AGE -> {
        if (end.isOld(nowNs, isBetweenReplies(nowNs))) {
          endByBridge(nowNs, CloseReason.CONNECTION_AGE, Origin.BRIDGE);
        }
      }
      case NO_UPSTREAM -> {
        long waitEndNs = host.waitEndNs(nowNs);
        deadlines.phaseEndsAt(waitEndNs);
        if (waitEndNs - nowNs <= 0) {
          endByBridge(nowNs, CloseReason.NO_UPSTREAM, Origin.BRIDGE);
        }
      }
      case LEADER -> endByBridge(nowNs, CloseReason.NO_UPSTREAM, Origin.BRIDGE);
      case RETRY -> {
        ownership.retry();
        host.offer(this);
      }
      case COMMIT -> {
        reportForcedDetach(nowNs, ForcedDetach.Why.COMMIT_INCOMPLETE);
        ownership.requireOwner().reportOutlier(OutlierSignal.TIMED_OUT);
        endByBridge(nowNs, CloseReason.COMMIT_INCOMPLETE, Origin.UPSTREAM);
      }
      case VIOLATION -> {
        CloseReason violation = Objects.requireNonNull(client.violation());
        endByBridge(nowNs, violation, violation.origin());
      }
      case HAND_OVER -> onHandOverOverdue(nowNs);
      case FIRST_BYTE -> endByBridge(nowNs, CloseReason.FIRST_BYTE_TIMEOUT, Origin.BRIDGE);
      case IDLE -> {
        if (replies.hasMoved()) {
          deadlines.onActivity(nowNs);
        } else {
          endByBridge(nowNs, CloseReason.IDLE_TIMEOUT, Origin.BRIDGE);
        }
      }
      case PROGRESS -> onProgressOverdue(nowNs);
      case LINGER -> {
        if (replies.hasMoved()) {
          linger(nowNs);
        } else {
          resetSocket();
        }
      }
    }
  }

  private void onHandOverOverdue(long nowNs) {
    ResumeState.Cause cause = Objects.requireNonNull(ownership.handOver()).cause();
    if (replies.stream().queuedBytes() == 0) {
      ownership.requireOwner().reportOutlier(OutlierSignal.TIMED_OUT);
    }
    fence(nowNs, cause, ForcedDetach.Why.RELEASE_OVERDUE);
  }

  private void onProgressOverdue(long nowNs) {
    Owner owner = ownership.requireOwner();
    switch (progress.verdict(nowNs, client.isFull(owner.windowBytes()))) {
      case WORKING -> {}
      case STALLED -> {
        fence(nowNs, ResumeState.Cause.STALLED, ForcedDetach.Why.STALLED);
        owner.onConnectionStalled(nowNs);
      }
      case WINDOW_STALLED -> {
        reportForcedDetach(nowNs, ForcedDetach.Why.WINDOW_STALLED);
        endByBridge(nowNs, CloseReason.WINDOW_STALLED, Origin.UPSTREAM);
      }
    }
  }
}
