package dev.waymark.engine.connection;

import dev.waymark.engine.base.Backoff;
import dev.waymark.engine.stream.ClientStream;
import dev.waymark.engine.stream.ReplyDirection;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.ResumeState;
import dev.waymark.protocol.UpstreamControl.Released;
import dev.waymark.protocol.UpstreamFrame;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who owns one connection, who did, and how it gets from one owner to the next: epochs, losses,
 * refusals, handovers (rules 3, 8 and 9). A state machine whose effects go to owners only; confined
 * to its shard's thread.
 *
 * <p><b>Fencing.</b> A former owner may live on and send replies, or come back after a standstill.
 * So each ownership has an epoch, one higher than the last; every frame carries it, and a frame of
 * an older epoch is dropped. It never matters whether a former owner is really dead: it is enough
 * that the bridge has decided to move on. The cost is four bytes in each frame.
 *
 * <p><b>Handover.</b> A planned move loses nothing and repeats nothing: the owner is asked to
 * release the connection, is sent nothing more, and answers with its last commit. Only then does
 * the next owner get the connection, with what that commit left behind. An owner that does not
 * answer in time is fenced, which costs a replay instead.
 *
 * <p><b>Whom to avoid.</b> An owner that refused or failed is not asked again until there is
 * progress, or nobody else is left. When all have refused, the connection backs off and asks each
 * again, until its patience ends.
 */
public final class Ownership {
  /**
   * A handover under way: the owner was asked to release the connection.
   *
   * @param destination null if it is chosen when the owner has released the connection
   * @param deadlineNs when the owner is fenced
   */
  record HandOver(ResumeState.Cause cause, @Nullable Owner destination, long deadlineNs) {}

  /**
   * A time in which the connection was without service.
   *
   * @param detectionNs from when it was last served until its owner was given up
   * @param moveNs from then until another serves it
   */
  record Pause(long detectionNs, long moveNs) {}

  /**
   * The refusals since an upstream last accepted the connection.
   *
   * @param reason of the last one
   */
  private record Refusals(long sinceNs, long lastNs, CloseReason reason) {}

  /** How many former owners the access log names. */
  private static final int HISTORY_MAX = 16;

  private static final Backoff BACKOFF = new Backoff(100_000_000L, 5_000_000_000L);

  private final Owner.Attached connection;
  private final ClientStream client;
  private final ReplyDirection replies;
  private final ProgressClock progress;

  private @Nullable Owner owner;
  private int epoch;
  private @Nullable HandOver handOver;
  private ResumeState.@Nullable Cause cause;
  private @Nullable Owner former;
  private @Nullable Owner destination;
  private List<String> history = List.of();
  private List<String> avoided = List.of();

  /**
   * Null for most connections: no owner was lost since the last progress. Read with {@link
   * #evidence}.
   */
  private @Nullable Evidence evidence;

  /** Null for most connections: not refused since the last answer. */
  private @Nullable Refusals refusals;

  private int backOffs;
  private long retryAtNs;
  private boolean isBackingOff;
  private int returns;
  private long mayMoveAtNs;
  private long servedNs;
  private long leftAtNs;
  private boolean isPaused;

  Ownership(
      Owner.Attached connection,
      ClientStream client,
      ReplyDirection replies,
      ProgressClock progress) {
    this.connection = connection;
    this.client = client;
    this.replies = replies;
    this.progress = progress;
  }

  // --- inputs ---

  /** The connection gets a new owner. */
  void attach(long nowNs, Owner next) {
    boolean isReturn = isSame(next, former);
    returns = isReturn ? returns + 1 : 0;
    mayMoveAtNs = isReturn ? nowNs + BACKOFF.ceilingNs(returns) : nowNs;
    owner = next;
    former = isReturn ? null : former;
    // No other upstream was left, so all are asked again at the next move.
    avoided = isReturn ? List.of() : avoided;
    destination = null;
    remember(next.upstreamAddress());
  }

  /**
   * Asks the owner to hand the connection over.
   *
   * @param to null if it is chosen when the owner has released the connection
   * @return whether the handover has begun
   */
  boolean release(long nowNs, ResumeState.Cause why, @Nullable Owner to, long timeoutNs) {
    Owner present = requireOwner();
    boolean mayMove = handOver == null && mayMoveAtNs - nowNs <= 0;
    if (!mayMove || !canHandOver()) {
      return false;
    }
    HandOver begun = new HandOver(why, to, nowNs + timeoutNs);
    handOver = begun;
    count(present, begun, 1);
    present.release(connection);
    return true;
  }

  /**
   * The connection leaves its owner and needs another: what is not consumed waits for the next one
   * (rule 3).
   *
   * @param isHandedOver the owner lives, and would take the connection back
   * @param elapsedNs as {@link ConnectionHost#elapsedNs}
   * @return how many bytes have to be sent again
   */
  long leave(ResumeState.Cause why, boolean isHandedOver, long elapsedNs) {
    Owner left = requireOwner();
    long lastServedNs =
        lastServedNs(left, isHandedOver || why == ResumeState.Cause.REFUSED, elapsedNs);
    long replayedBytes = client.rewind();
    HandOver ended = takeHandOver();
    cause = why;
    if (isHandedOver) {
      former = left;
    } else if (why != ResumeState.Cause.REFUSED) {
      former = null;
    }
    destination = isHandedOver && ended != null ? ended.destination() : null;
    owner = null;
    epoch++;
    if (!isPaused) {
      // Losing an owner that has not served yet does not begin a new pause.
      isPaused = true;
      servedNs = lastServedNs;
      leftAtNs = elapsedNs;
    }
    count(left, ended, -1);
    replies.onLeft(left.isAtMostOnce(), epoch);
    left.detached(connection, replayedBytes > 0);
    return replayedBytes;
  }

  /**
   * The connection has ended: no owner is needed any more.
   *
   * @return whether there was one
   */
  boolean end() {
    Owner last = owner;
    HandOver ended = takeHandOver();
    isBackingOff = false;
    owner = null;
    former = null;
    destination = null;
    if (last != null) {
      count(last, ended, -1);
      last.detached(connection, client.isAwaitingOwner());
    }
    return last != null;
  }

  /**
   * The owner was lost while bytes waited for it.
   *
   * @param afterNs how long it had had the bytes
   * @return whether it is proven that these bytes are to blame
   */
  boolean onLoss(Evidence.Loss loss, long afterNs) {
    Evidence present = evidence();
    if (present == null) {
      present = new Evidence(loss.breaks() - 1, client.consumedOffset());
      evidence = present;
    }
    present.onLoss(loss.company(), afterNs);
    return present.isProof(loss.breaks(), loss.doubts());
  }

  /**
   * {@code consumed} is about to move.
   *
   * @return whether there was evidence against the connection
   */
  boolean onProgress() {
    boolean wasBlamed = evidence() != null;
    evidence = null;
    avoided = List.of();
    return wasBlamed;
  }

  /** Avoids this upstream until there is progress or no other is left. */
  void avoid(String upstream) {
    if (!avoided.contains(upstream)) {
      List<String> longer = new ArrayList<>(avoided);
      longer.add(upstream);
      avoided = List.copyOf(longer);
    }
  }

  /**
   * The owner refused.
   *
   * @param patienceNs refusals further apart than this plus the longest back-off are unrelated
   */
  void onRefused(long nowNs, CloseReason reason, long patienceNs) {
    if (refusals == null || nowNs - refusals.lastNs() > patienceNs + BACKOFF.maxNs()) {
      refusals = new Refusals(nowNs, nowNs, reason);
    } else {
      refusals = new Refusals(refusals.sinceNs(), nowNs, reason);
    }
    avoid(requireOwner().upstreamAddress());
  }

  /**
   * All upstreams are avoided: each is asked again after a while, for the last time when the
   * patience with refusals ends.
   */
  void backOff(long nowNs, long patienceNs) {
    backOffs++;
    isBackingOff = true;
    retryAtNs = nowNs + BACKOFF.ceilingNs(backOffs);
    if (refusals != null && retryAtNs - (refusals.sinceNs() + patienceNs) > 0) {
      retryAtNs = refusals.sinceNs() + patienceNs;
    }
  }

  /** The wait is over. */
  void retry() {
    isBackingOff = false;
    avoided = List.of();
  }

  /** The owner answered with {@code consumed}, so it has not refused. */
  void onAnswer() {
    refusals = null;
    backOffs = 0;
  }

  // --- outputs ---

  @Nullable Owner owner() {
    return owner;
  }

  int epoch() {
    return epoch;
  }

  @Nullable HandOver handOver() {
    return handOver;
  }

  /** Whether the owner was asked to release the connection. */
  boolean isHandingOver() {
    return handOver != null;
  }

  /** The destination of the handover that has just ended, if it was chosen beforehand. */
  public @Nullable Owner destination() {
    return destination;
  }

  /** The owner that handed the connection over; asked again if no other takes it. */
  public @Nullable Owner former() {
    return former;
  }

  /**
   * Whether it has to pass probation before it may go to an upstream that serves others (rule 3).
   */
  public boolean isSuspect() {
    Evidence present = evidence();
    return present != null && present.isSuspect();
  }

  /** Whether it has lost an owner in isolation, and no other has made progress since. */
  public boolean hasLostAlone() {
    Evidence present = evidence();
    return present != null && present.hasLostAlone();
  }

  /** Whether it is a suspect, but others are more likely to blame. */
  public boolean isUnlikely() {
    Evidence present = evidence();
    return present != null && present.isUnlikely();
  }

  /** How long a round with this suspect may last. */
  public long roundNs() {
    Evidence present = evidence();
    return present == null ? 0 : present.roundNs();
  }

  /** Why the last upstream refused, if refusals have gone on for this long; else null. */
  @Nullable CloseReason refusedFor(long nowNs, long patienceNs) {
    return refusals != null && nowNs - refusals.sinceNs() >= patienceNs ? refusals.reason() : null;
  }

  public boolean isAvoiding(Owner candidate) {
    return isSame(candidate, former) || avoided.contains(candidate.upstreamAddress());
  }

  /** False for most connections: they have nothing to avoid. */
  public boolean isAvoidingAny() {
    return former != null || !avoided.isEmpty();
  }

  public boolean isBackingOff() {
    return isBackingOff;
  }

  long retryAtNs() {
    return retryAtNs;
  }

  /** Whether the frame comes from a former owner, and has to be dropped (rule 3). */
  boolean isFenced(Owner from, UpstreamFrame frame) {
    return !isSame(from, owner) || Integer.compareUnsigned(frame.epoch(), epoch) < 0;
  }

  /** Returns how a frame of the owner violates the protocol, or null if it does not. */
  @Nullable CloseReason violationOf(UpstreamFrame frame) {
    boolean isReply = frame.payload().isReadable();
    if (frame.epoch() != epoch || (replies.stream().isEnded() && isReply)) {
      return CloseReason.PROTOCOL;
    }
    boolean isReleased = frame.control() instanceof Released;
    if (isReleased && (handOver == null || frame.more() || frame.close() != 0)) {
      return CloseReason.PROTOCOL;
    }
    if (frame.consumed() > client.sentOffset()) {
      return CloseReason.FLOW_CONTROL;
    }
    return replies.overrunOf(frame, requireOwner().isAcknowledging());
  }

  /** Returns the owner; called only while there is one. */
  Owner requireOwner() {
    Check.that(owner != null, "the connection has an owner");
    return Objects.requireNonNull(owner);
  }

  /**
   * Whether the owner can hand the connection over: it acknowledges, and holds no session for it.
   */
  public boolean canHandOver() {
    return requireOwner().isAcknowledging() && !isPinned();
  }

  /** Whether nobody else could resume the session that the owner holds for the connection. */
  boolean isPinned() {
    return requireOwner().isPinned() || client.isForgetting();
  }

  /**
   * Whether another owner can continue where this one stopped.
   *
   * @param isResumingAtMostOnce whether that holds for an owner that does not acknowledge, too
   */
  boolean isResumable(boolean isResumingAtMostOnce) {
    return !isPinned() && (!requireOwner().isAtMostOnce() || isResumingAtMostOnce);
  }

  /**
   * Whether another owner can take over after a refusal: an owner to which connections are pinned
   * may refuse until its session has begun.
   *
   * @param isResumingAtMostOnce as for {@link #isResumable}
   */
  boolean isResumableAfterRefusal(boolean isResumingAtMostOnce) {
    return requireOwner().isPinned() ? !client.isForgetting() : isResumable(isResumingAtMostOnce);
  }

  /** Returns what the next owner is told about the last one; null for the first owner. */
  @Nullable ResumeState resumeState(int replyWindowBytes) {
    return cause == null
        ? null
        : new ResumeState(
            cause,
            client.sentOffset(),
            replies.stream().committedOffset(),
            replies.stream().committedSinceConsumed(),
            client.endedAt(),
            replies.stream().isEnded(),
            replyWindowBytes,
            replies.context());
  }

  /** Returns the report about an owner that did not do its part. */
  ForcedDetach forcedDetach(long nowNs, long elapsedNs, ForcedDetach.Why why) {
    Owner present = requireOwner();
    return new ForcedDetach(
        connection.mark(),
        present.poolName(),
        present.upstreamAddress(),
        why,
        nowNs - progress.signNs(),
        client.isAwaitingOwner() ? elapsedNs - progress.servedNs() : 0,
        client.sentOffset() - client.consumedOffset());
  }

  /** The owners so far, oldest first, the last {@value #HISTORY_MAX} of them. */
  List<String> history() {
    return history;
  }

  /**
   * Ends the pause; returns how long it was, or null if there was none.
   *
   * @param elapsedNs now, as {@code Shard.elapsedNs}
   */
  @Nullable Pause takePause(long elapsedNs) {
    if (!isPaused) {
      return null;
    }
    isPaused = false;
    return new Pause(leftAtNs - servedNs, elapsedNs - leftAtNs);
  }

  // --- transitions ---

  @SuppressWarnings(
      "ReferenceEquality") // A lane is one call: another to the same upstream differs.
  private static boolean isSame(Owner candidate, @Nullable Owner other) {
    return candidate == other;
  }

  /**
   * Returns until when the client was served. If it waits for the owner: until it began to wait or
   * last got something. Else: until the last frame of the lane; but lanes without Settings get no
   * Pings, so their silence means nothing.
   */
  private long lastServedNs(Owner left, boolean isOwnerThere, long elapsedNs) {
    if (replies.stream().queuedBytes() > 0) {
      return elapsedNs;
    }
    if (!client.isConsumed()) {
      return progress.servedNs();
    }
    return isOwnerThere || !left.isAcknowledging() ? elapsedNs : left.heardNs();
  }

  /**
   * Returns the evidence against the bytes that are not consumed. An owner without acknowledgements
   * consumes bytes without an answer: they are never sent again, so nothing is left to suspect.
   */
  private @Nullable Evidence evidence() {
    Evidence present = evidence;
    return present != null && present.isAbout(client.consumedOffset()) ? present : null;
  }

  /** Tells owners how many connections will leave and come, so that moves do not overshoot. */
  private static void count(Owner from, @Nullable HandOver ofThis, int change) {
    if (ofThis != null) {
      from.leaving(change);
      Owner to = ofThis.destination();
      if (to != null) {
        to.coming(change);
      }
    }
  }

  private @Nullable HandOver takeHandOver() {
    HandOver ended = handOver;
    handOver = null;
    return ended;
  }

  private void remember(String upstream) {
    List<String> longer = new ArrayList<>(history);
    longer.add(upstream);
    history = List.copyOf(longer.subList(Math.max(0, longer.size() - HISTORY_MAX), longer.size()));
  }
}
