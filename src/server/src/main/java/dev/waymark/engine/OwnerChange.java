package dev.waymark.engine;

import dev.waymark.engine.Ownership.HandOver;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import dev.waymark.protocol.Reopen;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How one connection gets an owner, and from it to another: handed over, fenced, refused or lost,
 * or ended where it may not go on (rules 3, 8 and 9). Confined to its shard's thread.
 *
 * <p>Who takes the connection from its owner asks only while there is one, as {@link
 * Shard#forEachOn} does: without one it is a defect of the caller.
 */
final class OwnerChange {
  private final Connection connection;
  private final Shard shard;
  private final Ownership ownership;
  private final ClientDirection client;
  private final ReplyDirection replies;

  OwnerChange(
      Connection connection,
      Shard shard,
      Ownership ownership,
      ClientDirection client,
      ReplyDirection replies) {
    this.connection = connection;
    this.shard = shard;
    this.ownership = ownership;
    this.client = client;
    this.replies = replies;
  }

  // --- inputs; the connection waits for an owner ---

  /** A new owner. */
  void attach(long nowNs, Lane owner) {
    Check.that(connection.isWaiting(), "only a waiting connection is attached");
    ownership.attach(nowNs, owner);
    replies.stream().granted();
    client.extendBreach(nowNs);
    owner.open(connection, connection.arrival().open(replies.stream().limitOffset(), reopen()));
    connection.armDeadline(nowNs);
    connection.pump(nowNs);
    if (client.stream().isEmpty() && !client.isAwaitingOwner()) {
      endPause(nowNs);
    }
    connection.settleHeld();
  }

  /**
   * All that might take it have refused it: they are asked again after a while, or have been for
   * long enough (rule 8).
   */
  void backOff(long nowNs) {
    CloseReason reason = ownership.refusedFor(nowNs, waitNs());
    if (reason != null) {
      connection.end().endWithoutTelling(nowNs, reason, Origin.UPSTREAM);
    } else {
      ownership.backOff(nowNs, waitNs());
      connection.armDeadline(nowNs);
    }
  }

  /** They are asked again. */
  void retry() {
    ownership.retry();
    connection.pool().assignAgain(connection);
  }

  // --- inputs; the connection is attached ---

  /** It has an owner that serves it: it is no longer without one, if it was. */
  void endPause(long nowNs) {
    Ownership.Pause pause = ownership.takePause(shard.elapsedNs(nowNs));
    if (pause != null) {
      connection.listener().counters().addPause(pause.detectionNs(), pause.moveNs());
    }
  }

  /**
   * Another owner is wanted, for whom the present one prepares.
   *
   * @param destination null: whoever is best when it is released
   * @return whether anything was begun
   */
  boolean release(long nowNs, Reopen.Cause cause, @Nullable Lane destination) {
    Lane owner = owner();
    if (!ownership.mayMove(nowNs) || !owner.isAcknowledging()) {
      return false;
    }
    long deadlineNs = nowNs + moving().releaseTimeoutNs();
    ownership.release(new HandOver(cause, destination, deadlineNs));
    owner.sender().release(connection);
    connection.armDeadline(nowNs);
    return true;
  }

  /** The owner hands over. */
  void onReleased(long nowNs) {
    HandOver handOver = ownership.handOver();
    if (handOver != null) {
      leave(nowNs, handOver.cause(), true);
    }
  }

  /** The owner has had its time to go; one that cannot hand over is left without its help. */
  void expel(long nowNs, Reopen.Cause cause) {
    if (ownership.handOver() == null) {
      if (isReopening()) {
        fence(nowNs, cause, Taken.Why.DRAIN_OVERDUE);
      } else {
        connection.end().endByBridge(nowNs, CloseReason.SHUTTING_DOWN, Origin.UPSTREAM);
      }
    }
  }

  /** The owner leads no more and cannot hand over: where another can go on, it is left. */
  void desert(long nowNs, Reopen.Cause cause) {
    if (ownership.handOver() == null && isReopening()) {
      fence(nowNs, cause, Taken.Why.LEADER_CHANGED);
    }
  }

  /** The owner does not take the connection, or no longer (rule 8). */
  void onRefused(long nowNs, CloseReason reason) {
    Lane refuser = owner();
    refuser.suspect(Suspicion.OPEN_REFUSED);
    if (isReopening()) {
      ownership.onRefused(nowNs, refuser, reason, waitNs());
      leave(nowNs, Reopen.Cause.REFUSED, false);
    } else {
      connection.end().endWithoutTelling(nowNs, reason, Origin.UPSTREAM);
    }
  }

  /** The owner lives and does not do its part. */
  void fence(long nowNs, Reopen.Cause cause, Taken.Why why) {
    Lane owner = owner();
    tellTaken(nowNs, why);
    ownership.avoid(owner.upstream().address());
    if (isLossBearable(nowNs, Evidence.Company.FENCED)) {
      owner.close(connection, CloseReason.FENCED);
      leave(nowNs, cause, false);
    }
  }

  /** Somebody should know that the owner did not do its part. */
  void tellTaken(long nowNs, Taken.Why why) {
    Lane owner = owner();
    ProgressClock progress = connection.progress();
    boolean isWaiting = client.isAwaitingOwner();
    shard
        .events()
        .onConnectionTaken(
            new Taken(
                connection.mark(),
                owner.poolName(),
                owner.upstream().address(),
                why,
                nowNs - progress.signNs(),
                isWaiting ? shard.elapsedNs(nowNs) - progress.servedNs() : 0,
                client.stream().sentOffset() - client.stream().consumedOffset()));
  }

  /** The owner is gone. */
  void onLost(long nowNs, CloseReason reason) {
    if (!isReopening()) {
      connection.end().endWithoutTelling(nowNs, reason, Origin.UPSTREAM);
    } else if (isLossBearable(nowNs, connection.pool().company(connection, owner()))) {
      leave(nowNs, Reopen.Cause.LANE_BROKEN, false);
    }
  }

  // --- input; in whatever phase ---

  /** The connection has ended, and an owner is no longer needed. */
  void end() {
    Lane owner = ownership.lane();
    if (owner != null && client.isAwaitingOwner()) {
      connection.pool().onLeftover(owner);
    }
    ownership.end();
    if (owner == null) {
      connection.pool().stopWaiting(connection);
    } else {
      owner.detached(connection);
    }
  }

  // --- outputs ---

  /** What the next owner is told of the last one; null for the first owner. */
  @Nullable Reopen reopen() {
    Reopen.Cause cause = ownership.cause();
    return cause == null
        ? null
        : new Reopen(
            cause,
            client.stream().sentOffset(),
            replies.stream().takenOffset(),
            replies.stream().takenSinceConsumed(),
            client.endedAt(),
            replies.stream().isEnded(),
            shard.limits().grantBytes(),
            replies.context());
  }

  // --- transitions ---

  /** False: a request of the connection is proven to end its owners, and it has ended. */
  private boolean isLossBearable(long nowNs, Evidence.Company company) {
    long afterNs = connection.progress().waitedNs(nowNs);
    ShardPool pool = connection.pool();
    if (client.isAwaitingOwner()
        && ownership.onLoss(company, afterNs, pool.breaks(), pool.doubts())) {
      connection.end().endByBridge(nowNs, CloseReason.POISON, Origin.CLIENT);
      return false;
    }
    return true;
  }

  /** Whether another owner can go on where the present one stopped. */
  private boolean isReopening() {
    return !owner().isNeverAcknowledging() || moving().isReopeningPlain();
  }

  /** From now on what the owner has not consumed waits for another (rule 3). */
  private void leave(long nowNs, Reopen.Cause cause, boolean isHandedOver) {
    Lane owner = owner();
    Counters counters = connection.listener().counters();
    long servedNs = servedNs(nowNs, owner, isHandedOver || cause == Reopen.Cause.REFUSED);
    long replayed = client.stream().rewind();
    counters.add(Counter.REPLAYED_BYTES, replayed);
    if (replayed > 0) {
      connection.pool().onLeftover(owner);
    }
    ownership.leave(cause, isHandedOver, servedNs, shard.elapsedNs(nowNs));
    replies.onLeft(owner, ownership.epoch());
    owner.detached(connection);
    counters.addMoved(cause);
    connection.deadlines().waitUntil(nowNs + waitNs());
    connection.settleHeld();
    offer(nowNs);
  }

  /**
   * Until when the client was served: one that waits for the owner, until it began to wait or was
   * last given something; another, until its lane was last heard. Lanes without Settings are not
   * asked for a sign, so their silence means nothing. Like the whole pause as {@link
   * Shard#elapsedNs}: clients feel the bridge's own standstills too.
   */
  private long servedNs(long nowNs, Lane owner, boolean isOwnerThere) {
    long elapsedNs = shard.elapsedNs(nowNs);
    if (replies.stream().queuedBytes() > 0) {
      return elapsedNs;
    }
    if (!client.isConsumed()) {
      return connection.progress().servedNs();
    }
    return isOwnerThere || !owner.isAcknowledging() ? elapsedNs : owner.heardNs();
  }

  /** To the pool, unless nothing is left for an owner to do. */
  private void offer(long nowNs) {
    if (client.breach() != null) {
      connection.end().endIfDone(nowNs);
    }
    if (connection.isWaiting() && connection.end().isDone()) {
      connection.end().endWithoutTelling(nowNs, CloseReason.DONE, connection.end().firstToEnd());
    } else if (connection.isWaiting()) {
      connection.pool().assignAgain(connection);
      connection.armDeadline(nowNs);
      client.updateReading();
    }
  }

  /** How long it may take until an upstream takes the connection. */
  private long waitNs() {
    return connection.pool().options().noUpstreamWaitNs();
  }

  private Lane owner() {
    Lane owner = ownership.lane();
    Check.that(owner != null, "only an attached connection is taken from its owner");
    return Objects.requireNonNull(owner);
  }

  private PoolOptions.Moving moving() {
    return connection.pool().options().moving();
  }
}
