package dev.waymark.engine;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl.Push;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One client socket from accept to close: joins its two directions, its owner and its end. Confined
 * to its shard's thread.
 *
 * <p>It waits for an owner, is attached to one, ends while the socket takes the last bytes, and is
 * closed: which of them follows from {@link Ownership} and {@link ConnectionEnd}. Inputs come from
 * the socket (onClient…, onWritten, onSocketClosed) and from the lane (package-private); effects go
 * to the {@link ClientSocket} and the {@link Lane}. What a byte meets is in {@link ClientDirection}
 * and {@link ReplyDirection}, what the owner says in {@link Commits}, how the owner changes in
 * {@link OwnerChange}, what may run out in {@link ConnectionDeadlines}.
 */
public final class Connection {
  private final Shard shard;
  private final ShardListener listener;
  private final ClientSocket socket;
  private final Arrival arrival;
  private final Ownership ownership = new Ownership();
  private final ProgressClock progress;
  private final ClientDirection client;
  private final ReplyDirection replies;
  private final Commits commits;
  private final OwnerChange change;
  private final ConnectionEnd end;
  private final ConnectionDeadlines deadlines;

  private long lastActivityNs;
  private long heldBytes;

  Connection(
      Shard shard,
      ShardListener listener,
      ClientSocket socket,
      Mark mark,
      long nowNs,
      long nowUnixMs) {
    this.shard = shard;
    this.listener = listener;
    this.socket = socket;
    this.arrival = Arrival.of(mark, listener, socket, shard.elapsedNs(nowNs), nowUnixMs);
    this.lastActivityNs = nowNs;
    PoolOptions pool = listener.pool().options();
    this.progress = new ProgressClock(pool.moving().progressTimeoutNs());
    this.client = new ClientDirection(this, shard);
    this.replies = new ReplyDirection(this, shard, socket);
    this.commits = new Commits(this, replies);
    this.change = new OwnerChange(this, shard, ownership, client, replies);
    AgeOptions age = listener.options().age();
    this.end =
        new ConnectionEnd(
            this, client, replies, age.isLimited() ? new ConnectionAge(age, mark, nowNs) : null);
    this.deadlines = new ConnectionDeadlines(this);
    deadlines.waitUntil(nowNs + pool.noUpstreamWaitNs());
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
    if (!client.isReadingPaused() && shard.isOverBudget()) {
      client.updateReading();
    }
  }

  /** The client sent FIN, after all its bytes. */
  public void onClientEnd(long nowNs) {
    lastActivityNs = nowNs;
    client.end();
    end.onDirectionEnded(Origin.CLIENT);
    if (isLive()) {
      pump(nowNs);
    } else {
      end.closeWhenDrained();
    }
  }

  /**
   * The client's bytes cannot be cut into messages from here on. The messages before are still
   * answered: the connection ends when the owner is done with them, or with none of them for the
   * linger-timeout.
   */
  public void onClientBreach(long nowNs, CloseReason reason) {
    if (client.breach(nowNs, reason)) {
      end.endIfDone(nowNs);
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
    end.endByBridge(nowNs, reason, Origin.CLIENT);
    end.reset();
  }

  /**
   * The client's socket took bytes, in the order of {@link ClientSocket#write}, and with them so
   * many buffers to their end.
   */
  public void onWritten(long nowNs, long bytes, int pieces) {
    lastActivityNs = nowNs;
    replies.delivery().written(bytes, pieces);
    if (replies.stream().queuedBytes() == 0) {
      progress.resume(nowNs, shard.elapsedNs(nowNs));
    }
    settleHeld();
    listener.counters().add(Counter.CLIENT_SENT_BYTES, bytes);
    Lane owner = ownership.lane();
    if (owner == null) {
      end.closeWhenDrained();
      return;
    }
    replies.grantCredit(nowNs, owner);
    if (client.isReadingPaused()) {
      client.updateReading();
    }
    end.endIfDone(nowNs);
  }

  /** The socket is closed, by either side; the last input. */
  public void onSocketClosed(long nowNs) {
    if (end.isClosed()) {
      return;
    }
    end.endByBridge(nowNs, CloseReason.CLIENT_RESET, Origin.CLIENT);
    end.onSocketClosed();
    settleHeld();
    shard.onConnectionGone(this, ConnectionSummary.of(this, nowNs), end.unixMs());
  }

  // --- inputs from the lane ---

  /** A frame for this connection came on this lane. */
  void onFrame(long nowNs, Lane from, UpstreamFrame frame) {
    commits.onFrame(nowNs, from, frame);
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

  /** The owner's lane takes more, or is held back, or no longer is. */
  void onLaneChanged(long nowNs) {
    if (ownership.lane() != null) {
      pump(nowNs);
      settleHeld();
    }
  }

  /** The owner has shown whether it acknowledges, and with it its window. */
  void onLaneDecided(long nowNs) {
    // From here on an owner that acknowledges is under the progress clock.
    progress.onProgress(nowNs);
    Lane owner = ownership.lane();
    if (owner == null) {
      return;
    }
    if (owner.isNeverAcknowledging()) {
      client.stream().consumeAllSent();
    }
    pump(nowNs);
    if (ownership.lane() != null) {
      replies.grantCredit(nowNs, owner);
    }
    settleHeld();
    armDeadline(nowNs);
  }

  // --- inputs from the shard ---

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
    if (!end.isClosed()) {
      replies.flush();
    }
  }

  // --- inputs from its parts ---

  /** The client took something, of which it had not told. */
  void onActivity(long nowNs) {
    lastActivityNs = nowNs;
  }

  /** The owner has said something. */
  void onSign(long nowNs) {
    lastActivityNs = nowNs;
    progress.onSign(nowNs);
  }

  /** Sends what may be sent, if there is an owner. */
  void pump(long nowNs) {
    Lane owner = ownership.lane();
    if (owner != null) {
      client.pump(nowNs, owner);
      end.endIfDone(nowNs);
    }
    client.updateReading();
  }

  /**
   * Tells the shard what changed in {@link #heldBytes}: at the end of each input that may have
   * changed it.
   */
  void settleHeld() {
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
    return listener.pool();
  }

  ClientSocket socket() {
    return socket;
  }

  Shard shard() {
    return shard;
  }

  ConnectionEnd end() {
    return end;
  }

  ConnectionDeadlines deadlines() {
    return deadlines;
  }

  /** Neither ended nor about to. */
  boolean isLive() {
    return end.isLive();
  }

  /** It has no owner, and needs one. */
  boolean isWaiting() {
    return isLive() && ownership.lane() == null;
  }

  long lastActivityNs() {
    return lastActivityNs;
  }

  /** Its owner was sent bytes that it has not consumed. */
  boolean isAwaitingOwner() {
    return ownership.lane() != null && client.isAwaitingOwner();
  }

  /** Whether it has an owner from this pool, or waits for one. */
  boolean isIn(ShardPool of) {
    return pool() == of && isLive();
  }

  String clientHost() {
    return socket.clientHost();
  }

  /** Memory of what goes to the client. */
  long heldReplyBytes() {
    return end.isDropped() ? 0 : replies.heldBytes();
  }

  /** All that it holds in memory. */
  long heldBytes() {
    return end.isDropped() ? 0 : replies.heldBytes() + client.heldBytesWithPartial();
  }

  void checkInvariants() {
    client.stream().checkInvariants();
    replies.stream().checkInvariants();
    Check.that(isLive() || ownership.lane() == null, "one that has ended has no owner");
    int places = pool().placesOf(this) + (ownership.isBackingOff() ? 1 : 0);
    Check.that(
        places == (isWaiting() ? 1 : 0), "who waits is in one place, who does not is in none");
  }
}
