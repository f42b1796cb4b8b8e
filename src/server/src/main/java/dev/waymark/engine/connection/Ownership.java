package dev.waymark.engine.connection;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Reopen;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who owns one connection, who did, and where it is to go next: epochs, losses, refusals and a
 * hand-over under way (rules 3, 8 and 9). A state machine without I/O, confined to its shard's
 * thread.
 */
public final class Ownership {
  /**
   * Released is waited for.
   *
   * @param destination chosen when it began; null: whoever is best when it ends
   * @param deadlineNs past it the owner is fenced
   */
  record HandOver(Reopen.Cause cause, @Nullable Owner destination, long deadlineNs) {}

  /**
   * Nobody served the connection.
   *
   * @param detectionNs from when it was last served until its owner was given up
   * @param moveNs from then until another serves it
   */
  record Pause(long detectionNs, long moveNs) {}

  /**
   * Nobody has taken the connection since the first of these.
   *
   * @param reason of the last one
   */
  private record Refusals(long sinceNs, long lastNs, CloseReason reason) {}

  /** Former owners that the access log names. */
  private static final int HISTORY_MAX = 16;

  /** After a move that nobody took: doubled with each until {@link #BACK_OFF_MAX_NS}. */
  private static final long BACK_OFF_MIN_NS = 100_000_000L;

  private static final long BACK_OFF_MAX_NS = 5_000_000_000L;

  private @Nullable Owner owner;
  private int epoch;
  private @Nullable HandOver handOver;
  private Reopen.@Nullable Cause cause;
  private @Nullable Owner former;
  private @Nullable Owner destination;
  private List<String> history = List.of();
  private List<String> avoided = List.of();

  /** Null for most, who have lost no owner since the last progress. */
  private @Nullable Evidence evidence;

  /** Null for most, whom nobody has refused since the last answer. */
  private @Nullable Refusals refusals;

  private int backOffs;
  private long retryAtNs;
  private boolean isBackingOff;
  private int returns;
  private long mayMoveAtNs;
  private long servedNs;
  private long leftAtNs;
  private boolean isPaused;

  // --- inputs ---

  /** A new owner. */
  void attach(long nowNs, Owner next) {
    boolean isReturn = next == former;
    returns = isReturn ? returns + 1 : 0;
    mayMoveAtNs = isReturn ? nowNs + backOffNs(returns) : nowNs;
    owner = next;
    former = isReturn ? null : former;
    // Nobody else was left: all are asked anew when it moves again.
    avoided = isReturn ? List.of() : avoided;
    destination = null;
    remember(next.upstreamAddress());
  }

  /** A hand-over begins; ended by {@link #leave} or {@link #end}. */
  void release(HandOver begun) {
    handOver = begun;
  }

  /**
   * The owner is the owner no more, and another is needed.
   *
   * @param isHandedOver it lives, and would take the connection back
   * @param lastServedNs until when it served the client, as {@code Shard.elapsedNs}
   * @param elapsedNs the same of now
   * @return the hand-over that was under way, and is no longer
   */
  @Nullable HandOver leave(
      Reopen.Cause why, boolean isHandedOver, long lastServedNs, long elapsedNs) {
    cause = why;
    if (isHandedOver) {
      former = owner;
    } else if (why != Reopen.Cause.REFUSED) {
      former = null;
    }
    destination = isHandedOver && handOver != null ? handOver.destination() : null;
    owner = null;
    epoch++;
    if (!isPaused) {
      // An owner that is lost before it has served does not end the pause.
      isPaused = true;
      servedNs = lastServedNs;
      leftAtNs = elapsedNs;
    }
    return takeHandOver();
  }

  /**
   * There is no owner any more, and none is needed.
   *
   * @return the hand-over that was under way, and is no longer
   */
  @Nullable HandOver end() {
    isBackingOff = false;
    owner = null;
    former = null;
    destination = null;
    return takeHandOver();
  }

  /**
   * The owner was lost while bytes waited for it.
   *
   * @param afterNs how long it had had the bytes
   * @return whether it is proven that these bytes are to blame
   */
  boolean onLoss(Evidence.Loss loss, long afterNs) {
    if (evidence == null) {
      evidence = new Evidence(loss.breaks() - 1);
    }
    evidence.onLoss(loss.company(), afterNs);
    return evidence.isProof(loss.breaks(), loss.doubts());
  }

  /**
   * `consumed` moved.
   *
   * @return whether anything had spoken against the connection
   */
  boolean onProgress() {
    boolean wasBlamed = evidence != null;
    evidence = null;
    avoided = List.of();
    return wasBlamed;
  }

  /** Not to be this upstream again, until there is progress or nobody is left. */
  void avoid(String upstream) {
    if (!avoided.contains(upstream)) {
      List<String> longer = new ArrayList<>(avoided);
      longer.add(upstream);
      avoided = List.copyOf(longer);
    }
  }

  /**
   * The upstream refused.
   *
   * @param patienceNs refusals that lie further apart than the longest back-off beyond this have
   *     nothing to do with one another
   */
  void onRefused(long nowNs, String refuser, CloseReason reason, long patienceNs) {
    if (refusals == null || nowNs - refusals.lastNs() > patienceNs + BACK_OFF_MAX_NS) {
      refusals = new Refusals(nowNs, nowNs, reason);
    } else {
      refusals = new Refusals(refusals.sinceNs(), nowNs, reason);
    }
    avoid(refuser);
  }

  /**
   * All that might take it were avoided: after a while each is asked again, the last time when the
   * patience with refusals ends.
   */
  void backOff(long nowNs, long patienceNs) {
    backOffs++;
    isBackingOff = true;
    retryAtNs = nowNs + backOffNs(backOffs);
    if (refusals != null && retryAtNs - (refusals.sinceNs() + patienceNs) > 0) {
      retryAtNs = refusals.sinceNs() + patienceNs;
    }
  }

  /** The wait is over. */
  void retry() {
    isBackingOff = false;
    avoided = List.of();
  }

  /** The owner answers with `consumed`: it has not refused. */
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

  /** The owner was asked to release the connection. */
  boolean isHandingOver() {
    return handOver != null;
  }

  /** Why it moved last; null if it never did. */
  Reopen.@Nullable Cause cause() {
    return cause;
  }

  /** Where a hand-over was to lead to. */
  public @Nullable Owner destination() {
    return destination;
  }

  /** Who handed it over, and is asked again when nobody else takes it. */
  public @Nullable Owner former() {
    return former;
  }

  /** It is to be tried before it is given to an upstream that serves others (rule 3). */
  public boolean isSuspect() {
    return evidence != null && evidence.isSuspect();
  }

  /** It has lost an owner that nobody else used, and no other has made progress since. */
  public boolean hasLostAlone() {
    return evidence != null && evidence.hasLostAlone();
  }

  /** A suspect; but others are likelier to be to blame. */
  public boolean isUnlikely() {
    return evidence != null && evidence.isUnlikely();
  }

  /** How long a trial of this suspect lasts at most. */
  public long trialNs() {
    return evidence == null ? 0 : evidence.trialNs();
  }

  /** Why the last one refused, if it has been refused for so long; else null. */
  @Nullable CloseReason refusedFor(long nowNs, long patienceNs) {
    return refusals != null && nowNs - refusals.sinceNs() >= patienceNs ? refusals.reason() : null;
  }

  public boolean isAvoiding(Owner candidate) {
    return candidate == former || avoided.contains(candidate.upstreamAddress());
  }

  /** False while most connections, which avoid nobody. */
  public boolean isAvoidingAny() {
    return former != null || !avoided.isEmpty();
  }

  public boolean isBackingOff() {
    return isBackingOff;
  }

  long retryAtNs() {
    return retryAtNs;
  }

  /** A planned move may begin. */
  boolean mayMove(long nowNs) {
    return handOver == null && mayMoveAtNs - nowNs <= 0;
  }

  /** The owners so far, oldest first, the last {@value #HISTORY_MAX} of them. */
  List<String> history() {
    return history;
  }

  /**
   * How long nobody has served the connection; null if somebody does. It ends now.
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

  private static long backOffNs(int times) {
    return Math.min(BACK_OFF_MAX_NS, BACK_OFF_MIN_NS << Math.clamp(times - 1, 0, 10));
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
