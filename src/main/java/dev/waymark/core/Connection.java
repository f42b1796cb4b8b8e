package dev.waymark.core;

import dev.waymark.core.ClientStream.Chunk;
import dev.waymark.core.CloseReason.Origin;
import dev.waymark.core.Ownership.HandOver;
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
 * (package-private); effects go to the {@link ClientSocket} and the {@link Lane}.
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

  /** How long a connection that moves is offered to upstreams that serve, at least. */
  private static final long MOVE_WAIT_NS_MIN = 5_000_000_000L;

  private final Shard shard;
  private final ShardListener listener;
  private final ShardPool pool;
  private final ClientSocket socket;
  private final Arrival arrival;
  private final ClientStream client = new ClientStream();
  private final ReplyStream replies;
  private final ReplyDelivery delivery;
  private final DeadlineWheel.Node deadlineNode = new DeadlineWheel.Node(this);
  private final @Nullable ConnectionAge age;
  private final Ownership ownership = new Ownership();
  private final ProgressClock progress;

  private Phase phase = Phase.WAITING;
  private byte @Nullable [] context;
  private long lastActivityNs;
  private int partialBytes;
  private long heldBytes;
  private long phaseDeadlineNs;
  private boolean isReadingPaused;
  private @Nullable CloseReason clientBreach;
  private long clientBreachDeadlineNs;
  private boolean isCreditOwed;
  private boolean isStalled;
  private boolean isAwaitingLeader;
  private long leaderDeadlineNs;
  private @Nullable CloseReason closeReason;
  private Origin closeOrigin = Origin.BRIDGE;
  private @Nullable Origin firstToEnd;
  private @Nullable PushQueue pushes;
  private long endedUnixMs;

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
    this.arrival = Arrival.of(mark, listener.options(), socket, nowNs, nowUnixMs);
    AgeOptions ageOptions = listener.options().age();
    this.age = ageOptions.isLimited() ? new ConnectionAge(ageOptions, mark, nowNs) : null;
    this.lastActivityNs = nowNs;
    this.phaseDeadlineNs = nowNs + pool.options().noUpstreamWaitNs();
    this.progress = new ProgressClock(pool.options().moving().progressTimeoutNs());
    this.replies = new ReplyStream(shard.limits().grantBytes());
    this.delivery = new ReplyDelivery(replies, socket);
  }

  // --- inputs from the client ---

  /**
   * Bytes from the client.
   *
   * @param owned the reference passes to this method
   * @param isLast they end a framed message; never with raw framing
   */
  public void onClientBytes(long nowNs, ByteBuf owned, boolean isLast) {
    int bytes = owned.readableBytes();
    lastActivityNs = nowNs;
    listener.counters().add(Counter.CLIENT_RECEIVED_BYTES, bytes);
    Lane owner = ownership.lane();
    if (phase == Phase.CLOSING || phase == Phase.CLOSED) {
      owned.release();
    } else if (owner != null && client.isEmpty() && canPass(owner, bytes)) {
      long offset = client.sentOffset();
      if (client.consumedOffset() == offset) {
        progress.onProgress(nowNs);
      }
      client.pass(owned, isLast, !owner.isNeverAcknowledging());
      send(owner, offset, owned, isLast);
      settleHeld();
    } else {
      client.enqueue(owned, isLast);
      pump(nowNs);
      settleHeld();
    }
  }

  /** The client sent FIN, after all its bytes. */
  public void onClientEnd(long nowNs) {
    lastActivityNs = nowNs;
    client.end();
    if (firstToEnd == null) {
      firstToEnd = Origin.CLIENT;
    }
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
    if (clientBreach == null) {
      clientBreach = reason;
      clientBreachDeadlineNs = nowNs + shard.limits().lingerTimeoutNs();
      endWhenDone(nowNs);
      armDeadline(nowNs);
    }
  }

  /**
   * Bytes of a message that is not complete wait at the edge, which says whenever their number
   * changes.
   */
  public void onClientPartial(int bytes) {
    partialBytes = bytes;
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
    delivery.written(bytes, pieces);
    if (replies.queuedBytes() == 0) {
      progress.onSign(nowNs);
    }
    settleHeld();
    listener.counters().add(Counter.CLIENT_SENT_BYTES, bytes);
    switch (phase) {
      case ATTACHED -> {
        grantCredit(nowNs);
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
    shard.onConnectionGone(this, summary(nowNs), endedUnixMs);
  }

  // --- inputs from the lane and the shard ---

  /** A new owner. */
  void attach(long nowNs, Lane owner) {
    Check.that(phase == Phase.WAITING, "only a waiting connection is attached");
    phase = Phase.ATTACHED;
    ownership.attach(nowNs, owner);
    replies.granted();
    clientBreachDeadlineNs = nowNs + shard.limits().lingerTimeoutNs();
    Reopen.Cause cause = ownership.cause();
    owner.open(this, arrival.open(replies.limitOffset(), cause == null ? null : left(cause)));
    armDeadline(nowNs);
    pump(nowNs);
    if (client.isEmpty() && client.consumedOffset() == client.sentOffset()) {
      endPause(nowNs);
    }
    settleHeld();
  }

  /** A frame for this connection came on this lane. */
  void onFrame(long nowNs, Lane from, UpstreamFrame frame) {
    boolean isLate =
        phase != Phase.ATTACHED
            || from != ownership.lane()
            || Integer.compareUnsigned(frame.epoch(), ownership.epoch()) < 0;
    if (isLate) {
      from.counters().add(Counter.FRAMES_FENCED, 1);
      return;
    }
    int bytes = frame.payload().readableBytes();
    if (delivery.isFlushDue() && !from.isAcknowledging() && isReplyQueueFullFor(bytes)) {
      // What the kernel was not offered yet says nothing of the client.
      flush();
    }
    CloseReason breach = breachOf(from, frame, bytes);
    if (breach != null) {
      boolean isClose = !frame.more() && (frame.close() != 0 || replies.isHoldingClose());
      if (isClose) {
        // Never answered (rule 8).
        end(nowNs, breach, Origin.UPSTREAM);
      } else {
        endByBridge(nowNs, breach, Origin.UPSTREAM);
      }
      return;
    }
    replies.receive(bytes);
    lastActivityNs = nowNs;
    progress.onSign(nowNs);
    if (frame.close() == 0) {
      endPause(nowNs);
    }
    if (frame.more() || replies.isHolding()) {
      hold(nowNs, frame, bytes);
    } else {
      if (bytes > 0) {
        reply(frame.payload().retainedSlice());
      }
      commit(nowNs, frame.consumed(), frame.context(), frame.halfClose(), frame.close());
    }
    if (frame.control() instanceof Released) {
      onReleased(nowNs);
    }
    settleHeld();
  }

  /**
   * Bytes from any upstream, for the place where a reply ends (rule 6).
   *
   * @param reply told what became of them, once, now or later
   */
  void push(long nowNs, Push push, Consumer<PushResult> reply) {
    if (phase == Phase.CLOSING || phase == Phase.CLOSED) {
      reply.accept(PushResult.gone(push.id(), closeReason, endedUnixMs));
      return;
    }
    if (replies.isEnded()) {
      reply.accept(PushResult.gone(push.id(), null, 0));
      return;
    }
    if (pushes == null) {
      pushes = new PushQueue(replies, delivery, shard.limits());
    }
    flushIfDue(pushes.offer(nowNs, push, reply, epoch(), shard.isOverBudget()));
    armDeadline(nowNs);
    settleHeld();
  }

  /** The owner's lane is open for more, or has shown whether it acknowledges. */
  void onLaneChanged(long nowNs) {
    isStalled = false;
    if (phase == Phase.ATTACHED) {
      pump(nowNs);
      settleHeld();
    }
  }

  /** The owner has shown whether it acknowledges, and with it its window. */
  void onLaneDecided(long nowNs) {
    Lane owner = ownership.lane();
    if (owner != null && owner.isNeverAcknowledging()) {
      client.consumeAllSent();
    }
    // From here on an owner that acknowledges is under the progress clock.
    progress.onProgress(nowNs);
    if (phase == Phase.ATTACHED) {
      pump(nowNs);
      grantCredit(nowNs);
      settleHeld();
      armDeadline(nowNs);
    }
  }

  /**
   * Nothing is waited for any more: drops the socket in whatever phase, with a reset if replies are
   * lost by it.
   */
  void abandon() {
    if (delivery.queuedBytes() > 0) {
      socket.reset();
    } else {
      socket.close();
    }
  }

  /** The owner's lane broke; incomplete commits are as if they had never come (rule 3). */
  void onLaneLost(long nowNs, CloseReason reason) {
    if (isReopening()) {
      replay(nowNs, Reopen.Cause.LANE_BROKEN);
    } else {
      end(nowNs, reason, Origin.UPSTREAM);
    }
  }

  /**
   * The connection is to have another owner, which the present one prepares (rule 9).
   *
   * @param destination null: whoever is best when it is released
   * @return whether anything was begun
   */
  boolean release(long nowNs, Reopen.Cause cause, @Nullable Lane destination) {
    Lane owner = ownership.lane();
    if (phase != Phase.ATTACHED || owner == null || !ownership.mayMove(nowNs)) {
      return false;
    }
    if (!owner.isAcknowledging()) {
      return false;
    }
    long deadlineNs = nowNs + pool.options().moving().releaseTimeoutNs();
    ownership.release(new HandOver(cause, destination, deadlineNs));
    owner.release(this);
    armDeadline(nowNs);
    return true;
  }

  /** The owner has had its time to go; one that cannot hand over is left without its help. */
  void expel(long nowNs, Reopen.Cause cause) {
    if (phase == Phase.ATTACHED && ownership.handOver() == null) {
      if (isReopening()) {
        fence(nowNs, cause);
      } else {
        endByBridge(nowNs, CloseReason.SHUTTING_DOWN, Origin.UPSTREAM);
      }
    }
  }

  /** Its owner leads no more and cannot hand over: where another can go on, it is left. */
  void desert(long nowNs, Reopen.Cause cause) {
    if (phase == Phase.ATTACHED && ownership.handOver() == null && isReopening()) {
      fence(nowNs, cause);
    }
  }

  private void onReleased(long nowNs) {
    HandOver handOver = ownership.handOver();
    if (phase == Phase.ATTACHED && handOver != null) {
      leave(nowNs, handOver.cause(), true);
    }
  }

  /** The owner does not take the connection, or no longer (rule 8). */
  private void onRefused(long nowNs, CloseReason reason) {
    Lane refuser = Objects.requireNonNull(ownership.lane());
    long patienceNs = moveWaitNs();
    refuser.suspect(Suspicion.OPEN_REFUSED);
    if (isReopening() && ownership.onRefused(nowNs, refuser, patienceNs)) {
      leave(nowNs, Reopen.Cause.REFUSED, false);
    } else {
      end(nowNs, reason, Origin.UPSTREAM);
    }
  }

  /** The owner lives and does not do its part: another gets the connection. */
  private void fence(long nowNs, Reopen.Cause cause) {
    Lane owner = Objects.requireNonNull(ownership.lane());
    ownership.avoid(owner.upstream().address());
    if (isLossBearable(nowNs)) {
      owner.close(this, CloseReason.FENCED);
      replayed();
      leave(nowNs, cause, false);
    }
  }

  /** To another owner, from what the last one has consumed (rule 3). */
  private void replay(long nowNs, Reopen.Cause cause) {
    if (isLossBearable(nowNs)) {
      replayed();
      leave(nowNs, cause, false);
    }
  }

  private void replayed() {
    listener.counters().add(Counter.REPLAYED_BYTES, client.sentOffset() - client.consumedOffset());
  }

  private boolean isLossBearable(long nowNs) {
    boolean isWaitingForOwner = client.sentOffset() > client.consumedOffset();
    if (isWaitingForOwner && !ownership.isLossBearable()) {
      endByBridge(nowNs, CloseReason.POISON, Origin.CLIENT);
      return false;
    }
    return true;
  }

  /** Whether another owner can go on where the present one stopped. */
  private boolean isReopening() {
    Lane owner = ownership.lane();
    return owner == null
        || !owner.isNeverAcknowledging()
        || pool.options().moving().isReopeningPlain();
  }

  private void leave(long nowNs, Reopen.Cause cause, boolean isHandedOver) {
    Lane owner = Objects.requireNonNull(ownership.lane());
    client.rewind();
    replies.dropHeld();
    if (owner.isNeverAcknowledging()) {
      // Nobody is asked for the request of an unfinished reply again: the next one is a new reply.
      replies.endReply();
    }
    ownership.leave(nowNs, cause, isHandedOver);
    if (pushes != null) {
      pushes.onEpoch(ownership.epoch());
    }
    owner.detached(this);
    listener.counters().addMoved(cause);
    isStalled = false;
    phase = Phase.WAITING;
    phaseDeadlineNs = nowNs + moveWaitNs();
    settleHeld();
    if (clientBreach != null) {
      endWhenAnswered(nowNs, clientBreach);
    }
    if (isDone() && phase == Phase.WAITING) {
      // Nothing is left for an owner to do.
      end(nowNs, CloseReason.DONE, Objects.requireNonNullElse(firstToEnd, Origin.UPSTREAM));
    } else if (phase == Phase.WAITING) {
      pool.assignAgain(this);
      armDeadline(nowNs);
      updateReading();
    }
  }

  /** Where nobody serves the pool decides; where somebody does, there is time to ask. */
  private long moveWaitNs() {
    return Math.max(MOVE_WAIT_NS_MIN, pool.options().noUpstreamWaitNs());
  }

  /** All that might take it have refused it: they are asked again after a while. */
  void backOff(long nowNs) {
    ownership.backOff(nowNs);
    armDeadline(nowNs);
  }

  private void endPause(long nowNs) {
    long pauseNs = ownership.takePauseNs(nowNs);
    if (pauseNs >= 0) {
      listener.counters().addPause(pauseNs);
    }
  }

  private Reopen left(Reopen.Cause cause) {
    return new Reopen(
        cause,
        client.sentOffset(),
        replies.takenOffset(),
        replies.takenSinceConsumed(),
        client.isEnded() && clientBreach == null ? client.receivedOffset() : -1,
        replies.isEnded(),
        shard.limits().grantBytes(),
        context);
  }

  /** The bridge ends the connection: an upstream is told if there is one. */
  void endByBridge(long nowNs, CloseReason reason, Origin origin) {
    Lane owner = ownership.lane();
    if (phase == Phase.ATTACHED && owner != null) {
      owner.close(this, reason);
    }
    end(nowNs, reason, origin);
  }

  /** The process's budget was passed, or has room again. */
  void onBudgetChanged() {
    updateReading();
  }

  /** The bridge ends in so long: one that has an age ends at its own place within that time. */
  void onDrain(long nowNs, long timeoutNs) {
    if (age != null) {
      age.onDrain(nowNs, timeoutNs);
      armDeadline(nowNs);
    }
  }

  /** Something may have run out. */
  void onDeadline(long nowNs) {
    if (pushes != null) {
      pushes.onDeadline(nowNs);
      settleHeld();
    }
    endWhenOld(nowNs);
    switch (phase) {
      case WAITING -> {
        if (phaseDeadlineNs - nowNs <= 0) {
          endByBridge(nowNs, CloseReason.NO_UPSTREAM, Origin.BRIDGE);
        } else if (ownership.isBackingOff() && ownership.retryAtNs() - nowNs <= 0) {
          ownership.retry();
          pool.assignAgain(this);
        }
      }
      case ATTACHED -> onAttachedDeadline(nowNs);
      case CLOSING -> {
        if (phaseDeadlineNs - nowNs <= 0) {
          if (delivery.hasMoved()) {
            phaseDeadlineNs = nowNs + shard.limits().lingerTimeoutNs();
          } else {
            socket.reset();
          }
        }
      }
      case CLOSED -> {}
    }
    armDeadline(nowNs);
  }

  private void onAttachedDeadline(long nowNs) {
    long idleTimeoutNs = listener.options().idleTimeoutNs();
    HandOver handOver = ownership.handOver();
    if (replies.isHolding() && replies.holdDeadlineNs() - nowNs <= 0) {
      suspect(Suspicion.TIMED_OUT);
      endByBridge(nowNs, CloseReason.COMMIT_INCOMPLETE, Origin.UPSTREAM);
    } else if (clientBreach != null && clientBreachDeadlineNs - nowNs <= 0) {
      endByBridge(nowNs, clientBreach, clientBreach.origin());
    } else if (handOver != null && handOver.deadlineNs() - nowNs <= 0) {
      if (replies.queuedBytes() == 0) {
        suspect(Suspicion.TIMED_OUT);
      }
      fence(nowNs, handOver.cause());
    } else if (handOver == null && isAwaitingLeader && leaderDeadlineNs - nowNs <= 0) {
      endByBridge(nowNs, CloseReason.NO_UPSTREAM, Origin.BRIDGE);
    } else if (idleTimeoutNs > 0 && lastActivityNs + idleTimeoutNs - nowNs <= 0) {
      if (delivery.hasMoved()) {
        lastActivityNs = nowNs;
      } else {
        endByBridge(nowNs, CloseReason.IDLE_TIMEOUT, Origin.BRIDGE);
      }
    } else if (handOver == null && isOwnerClocked() && isAwaitingOwner()) {
      judgeOwner(nowNs);
    }
  }

  private void judgeOwner(long nowNs) {
    if (replies.queuedBytes() > 0) {
      // The client does not read: its owner may wait for credit, and has nothing to say.
      progress.onSign(nowNs);
      return;
    }
    switch (progress.verdict(nowNs, isWindowFull())) {
      case WORKING -> {}
      case STALLED -> {
        Lane owner = Objects.requireNonNull(ownership.lane());
        fence(nowNs, Reopen.Cause.STALLED);
        owner.onStalled(nowNs);
      }
      case WINDOW_STALLED -> endByBridge(nowNs, CloseReason.WINDOW_STALLED, Origin.UPSTREAM);
    }
  }

  /** Sends what is owed since {@link Shard#oweCredit}. */
  void sendOwedCredit() {
    isCreditOwed = false;
    Lane owner = ownership.lane();
    boolean isOwed = phase == Phase.ATTACHED && !replies.isEnded() && replies.creditBytes() > 0;
    if (isOwed && owner != null && owner.isAcknowledging()) {
      replies.granted();
      owner.limit(this, replies.limitOffset());
    }
  }

  /** Hands the turn's replies to the kernel. */
  void flush() {
    if (phase != Phase.CLOSED) {
      delivery.flush();
    }
  }

  // --- the client's direction ---

  private boolean canPass(Lane owner, int bytes) {
    return isTakingData(owner)
        && bytes <= Limits.PAYLOAD_BYTES_MAX
        && bytes <= client.room(owner.windowBytes());
  }

  /** Nothing more is sent in an epoch that is to be handed over (rule 9). */
  private boolean isTakingData(Lane owner) {
    return owner.isWritable() && !owner.isHeldBack() && ownership.handOver() == null;
  }

  private void pump(long nowNs) {
    Lane owner = ownership.lane();
    if (phase == Phase.ATTACHED && owner != null) {
      if (client.consumedOffset() == client.sentOffset()) {
        progress.onProgress(nowNs);
      }
      while (isTakingData(owner)) {
        Chunk chunk = client.next(owner.windowBytes(), !owner.isNeverAcknowledging());
        if (chunk == null) {
          break;
        }
        send(owner, chunk.offset(), chunk.payload(), chunk.isLast());
      }
      boolean isHeldHere = ownership.handOver() != null || owner.isHeldBack();
      if (client.isEndToBeSent() && clientBreach == null && !isHeldHere) {
        client.endSent();
        owner.halfClose(this, client.sentOffset());
      } else if (!client.isEmpty() && !isHeldHere) {
        waitFor(nowNs, owner);
      }
      awaitLeader(nowNs, owner);
      endWhenDone(nowNs);
    }
    updateReading();
  }

  private void send(Lane owner, long offset, ByteBuf owned, boolean isLast) {
    long limit = LaneTransport.NO_LIMIT;
    if (owner.isAcknowledging() && replies.creditBytes() > 0) {
      replies.granted();
      limit = replies.limitOffset();
    }
    owner.data(this, offset, owned, isLast, limit);
    if (owner.isNeverAcknowledging()) {
      client.consumeAllSent();
    }
  }

  private void waitFor(long nowNs, Lane owner) {
    if (owner.isWritable()) {
      owner.onWindowFull(nowNs);
    } else if (!isStalled) {
      isStalled = true;
      owner.stall(this);
    }
  }

  private void updateReading() {
    boolean isPaused =
        switch (phase) {
          case WAITING ->
              heldClientBytes() >= pool.options().noUpstreamBytesMax() || shard.isOverBudget();
          case ATTACHED -> !client.isEmpty() || shard.isOverBudget() || isReplyQueueLong();
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

  /** Without credit only the client's own requests can be held back (rule 5). */
  private boolean isReplyQueueLong() {
    Lane owner = ownership.lane();
    return owner != null
        && !owner.isAcknowledging()
        && replies.queuedBytes() > shard.limits().replyQueueBytesMax() / 2;
  }

  // --- the reply direction ---

  private @Nullable CloseReason breachOf(Lane from, UpstreamFrame frame, int bytes) {
    if (frame.epoch() != ownership.epoch()
        || (replies.isEnded() && (bytes > 0 || frame.halfClose()))) {
      return CloseReason.PROTOCOL;
    }
    boolean isReleased = frame.control() instanceof Released;
    if (isReleased && (ownership.handOver() == null || frame.more() || frame.close() != 0)) {
      return CloseReason.PROTOCOL;
    }
    if (frame.consumed() > client.sentOffset()) {
      return CloseReason.FLOW_CONTROL;
    }
    if (from.isAcknowledging()) {
      return replies.isOverrunBy(bytes) ? CloseReason.FLOW_CONTROL : null;
    }
    boolean isUnfinished = frame.more() || replies.isHolding();
    if (isUnfinished && replies.isHeldTooLargeWith(bytes)) {
      return CloseReason.FLOW_CONTROL;
    }
    return isReplyQueueFullFor(bytes) ? CloseReason.SLOW_CLIENT : null;
  }

  private boolean isReplyQueueFullFor(int bytes) {
    return replies.queuedBytes() + replies.heldBytes() + bytes
        > shard.limits().replyQueueBytesMax();
  }

  private void hold(long nowNs, UpstreamFrame frame, int bytes) {
    replies.hold(frame, nowNs + shard.limits().commitTimeoutNs());
    if (frame.more()) {
      armDeadline(nowNs);
      return;
    }
    HeldCommit whole = replies.takeHeld();
    for (ByteBuf payload : whole.payloads()) {
      reply(payload);
    }
    commit(nowNs, whole.consumed(), whole.context(), whole.isHalfClose(), whole.close());
  }

  private void reply(ByteBuf owned) {
    flushIfDue(delivery.write(owned));
  }

  private void flushIfDue(boolean isDue) {
    if (isDue) {
      shard.flushAtTurnEnd(this);
    }
  }

  /** What waits for the end of a reply goes behind it, before a FIN. */
  private void endReply() {
    replies.endReply();
    if (pushes != null) {
      flushIfDue(pushes.onReplyEnd());
    }
  }

  private void commit(
      long nowNs, long consumed, byte @Nullable [] newContext, boolean isHalfClose, int close) {
    if (newContext != null) {
      context = newContext.length == 0 ? null : newContext;
    }
    Lane owner = ownership.lane();
    if (consumed != UpstreamFrame.ABSENT || (owner != null && owner.isNeverAcknowledging())) {
      endReply();
    }
    if (isHalfClose) {
      replies.end();
      endPushes(null, 0);
      if (firstToEnd == null) {
        firstToEnd = Origin.UPSTREAM;
      }
      if (close == 0) {
        socket.finish();
      }
    }
    if (consumed != UpstreamFrame.ABSENT) {
      if (close == 0) {
        ownership.onAnswer();
      }
      if (consumed > client.consumedOffset()) {
        ownership.onProgress();
        progress.onProgress(nowNs);
        clientBreachDeadlineNs = nowNs + shard.limits().lingerTimeoutNs();
      }
      boolean wasSent = client.consume(consumed);
      Check.that(wasSent, "consumed was checked when it came");
    }
    if (close != 0) {
      CloseReason reason = CloseReason.ofWireCode(close);
      if (reason.isRefusal()) {
        onRefused(nowNs, reason);
      } else {
        end(nowNs, reason, Origin.UPSTREAM);
      }
      return;
    }
    if (consumed != UpstreamFrame.ABSENT && !client.isEmpty()) {
      pump(nowNs);
    } else if (isReplyQueueLong()) {
      updateReading();
    }
    endWhenDone(nowNs);
  }

  private void grantCredit(long nowNs) {
    Lane owner = ownership.lane();
    if (owner == null || !owner.isAcknowledging() || replies.isEnded()) {
      return;
    }
    if (replies.isCreditDue()) {
      replies.granted();
      owner.limit(this, replies.limitOffset());
    } else if (!isCreditOwed && replies.creditBytes() > 0) {
      isCreditOwed = true;
      shard.oweCredit(nowNs, this);
    }
  }

  // --- the end ---

  /** Rule 8: both directions have ended, all is consumed and written. */
  private void endWhenDone(long nowNs) {
    if (clientBreach != null) {
      endWhenAnswered(nowNs, clientBreach);
      return;
    }
    endWhenOld(nowNs);
    if (phase == Phase.ATTACHED && client.isEndSent() && replies.queuedBytes() == 0 && isDone()) {
      endByBridge(nowNs, CloseReason.DONE, Objects.requireNonNullElse(firstToEnd, Origin.UPSTREAM));
    }
  }

  /** Both directions have ended and all is consumed. */
  private boolean isDone() {
    return replies.isEnded()
        && client.isEnded()
        && client.consumedOffset() == client.receivedOffset();
  }

  private void endWhenAnswered(long nowNs, CloseReason reason) {
    boolean isAnswered =
        client.isEmpty()
            && client.consumedOffset() == client.sentOffset()
            && replies.queuedBytes() == 0;
    if (isAnswered && (phase == Phase.WAITING || phase == Phase.ATTACHED)) {
      endByBridge(nowNs, reason, reason.origin());
    }
  }

  /** Past its age: at a place where nothing is lost, or when the grace is over. */
  private void endWhenOld(long nowNs) {
    boolean isLive = phase == Phase.WAITING || phase == Phase.ATTACHED;
    if (age != null && isLive && age.isDue(nowNs)) {
      if (isQuiet(nowNs) || age.isOver(nowNs)) {
        endByBridge(nowNs, CloseReason.CONNECTION_AGE, Origin.BRIDGE);
      } else {
        age.onNotQuiet(nowNs);
      }
    }
  }

  /**
   * No message is under way, none is being answered, every reply is written. One that has ended one
   * direction is about to end by itself.
   */
  private boolean isQuiet(long nowNs) {
    Lane owner = ownership.lane();
    boolean isPlain = owner != null && owner.isNeverAcknowledging();
    boolean isBetweenReplies =
        isPlain
            ? nowNs - lastActivityNs >= ConnectionAge.SILENCE_NS
            : replies.takenSinceConsumed() == 0;
    return isBetweenReplies
        && partialBytes == 0
        && !client.isEnded()
        && !replies.isEnded()
        && client.consumedOffset() == client.receivedOffset()
        && !replies.isHolding()
        && replies.queuedBytes() == 0;
  }

  private void end(long nowNs, CloseReason reason, Origin origin) {
    if (phase == Phase.CLOSING || phase == Phase.CLOSED) {
      return;
    }
    closeReason = reason;
    closeOrigin = origin;
    endedUnixMs = arrival.unixMs(nowNs);
    endPushes(reason, endedUnixMs);
    detach();
    phase = Phase.CLOSING;
    client.release();
    replies.dropHeld();
    settleHeld();
    if (reason.isAbortive()) {
      socket.reset();
      return;
    }
    phaseDeadlineNs = nowNs + shard.limits().lingerTimeoutNs();
    armDeadline(nowNs);
    socket.finish();
    updateReading();
    closeWhenDrained();
  }

  private void endPushes(@Nullable CloseReason reason, long unixMs) {
    if (pushes != null) {
      pushes.onEnd(reason, unixMs);
    }
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
    if (delivery.queuedBytes() == 0 && client.isEnded()) {
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
    if (pushes != null && pushes.isWaiting()) {
      shard.arm(deadlineNode, pushes.deadlineNs());
    }
    if (age != null && (phase == Phase.WAITING || phase == Phase.ATTACHED)) {
      shard.arm(deadlineNode, age.deadlineNs());
    }
    switch (phase) {
      case WAITING -> {
        shard.arm(deadlineNode, phaseDeadlineNs);
        if (ownership.isBackingOff()) {
          shard.arm(deadlineNode, ownership.retryAtNs());
        }
      }
      case CLOSING -> shard.arm(deadlineNode, phaseDeadlineNs);
      case ATTACHED -> armAttachedDeadline(nowNs);
      case CLOSED -> {}
    }
  }

  /** The wheel keeps the earliest. */
  private void armAttachedDeadline(long nowNs) {
    long idleTimeoutNs = listener.options().idleTimeoutNs();
    HandOver handOver = ownership.handOver();
    if (replies.isHolding()) {
      shard.arm(deadlineNode, replies.holdDeadlineNs());
    }
    if (clientBreach != null) {
      shard.arm(deadlineNode, clientBreachDeadlineNs);
    }
    if (handOver != null) {
      shard.arm(deadlineNode, handOver.deadlineNs());
    } else if (isOwnerClocked()) {
      shard.arm(deadlineNode, progress.deadlineNs(nowNs, isAwaitingOwner(), isWindowFull()));
    }
    if (handOver == null && isAwaitingLeader) {
      shard.arm(deadlineNode, leaderDeadlineNs);
    }
    if (idleTimeoutNs > 0) {
      shard.arm(deadlineNode, lastActivityNs + idleTimeoutNs);
    }
  }

  private boolean isOwnerClocked() {
    Lane owner = ownership.lane();
    return progress.isOn() && owner != null && owner.isAcknowledging();
  }

  private boolean isWindowFull() {
    Lane owner = ownership.lane();
    return owner != null && !client.isEmpty() && client.room(owner.windowBytes()) <= 0;
  }

  /** A pool that follows its leader has none: new bytes wait here, from now on or no longer. */
  private void awaitLeader(long nowNs, Lane owner) {
    boolean isAwaiting = owner.isHeldBack() && (!client.isEmpty() || client.isEndToBeSent());
    if (isAwaiting && !isAwaitingLeader) {
      leaderDeadlineNs = nowNs + pool.options().noUpstreamWaitNs();
      shard.arm(deadlineNode, leaderDeadlineNs);
    }
    isAwaitingLeader = isAwaiting;
  }

  private void suspect(Suspicion why) {
    Lane owner = ownership.lane();
    if (owner != null) {
      owner.suspect(why);
    }
  }

  // --- for the shard and its operators ---

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

  @Nullable Lane lane() {
    return ownership.lane();
  }

  Ownership ownership() {
    return ownership;
  }

  /** Its owner was sent bytes that it has not consumed. */
  boolean isAwaitingOwner() {
    return phase == Phase.ATTACHED && client.sentOffset() > client.consumedOffset();
  }

  /** Whether it has an owner from this pool, or waits for one. */
  boolean isIn(ShardPool of) {
    return pool == of && (phase == Phase.WAITING || phase == Phase.ATTACHED);
  }

  String clientHost() {
    return arrival.clientHost();
  }

  /**
   * Memory of what goes to the client: replies that wait for its socket, those of an unfinished
   * commit, and what is pushed.
   */
  long heldReplyBytes() {
    if (phase == Phase.CLOSED) {
      return 0;
    }
    long pieces = replies.pieces() + delivery.pushedPieces();
    return delivery.queuedBytes()
        + replies.heldBytes()
        + pieces * shard.limits().pieceBytes()
        + (pushes == null ? 0 : pushes.heldBytes());
  }

  /** All that it holds in memory. */
  long heldBytes() {
    return phase == Phase.CLOSED ? 0 : heldReplyBytes() + heldClientBytes() + partialBytes;
  }

  /** Memory of the client's bytes that wait to be sent, or may have to be sent again. */
  private long heldClientBytes() {
    return client.heldBytes() + (long) client.pieces() * shard.limits().pieceBytes();
  }

  ShardListener listener() {
    return listener;
  }

  DeadlineWheel.Node deadlineNode() {
    return deadlineNode;
  }

  void checkInvariants() {
    client.checkInvariants();
    replies.checkInvariants();
    Check.that((phase == Phase.ATTACHED) == (ownership.lane() != null), "attached means owned");
    Check.that(
        phase == Phase.WAITING || phase == Phase.ATTACHED || closeReason != null,
        "an end has a reason");
  }

  private ConnectionSummary summary(long nowNs) {
    return new ConnectionSummary(
        arrival.mark(),
        arrival.listener().name(),
        arrival.clientAddress(),
        ownership.history(),
        client.receivedOffset(),
        delivery.writtenBytes(),
        nowNs - arrival.acceptedNs(),
        closeOrigin,
        Objects.requireNonNullElse(closeReason, CloseReason.INTERNAL));
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
        client.receivedOffset(),
        delivery.writtenBytes(),
        client.receivedOffset() - client.consumedOffset(),
        delivery.queuedBytes());
  }
}
