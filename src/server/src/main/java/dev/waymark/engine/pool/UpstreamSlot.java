package dev.waymark.engine.pool;

import dev.waymark.engine.base.Limits;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.protocol.ResumeState;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One upstream of a pool in one shard: its lane, when a broken lane is opened again, the lane that
 * it replaces, and whether connections have to leave it. Confined to its shard's thread.
 */
final class UpstreamSlot {
  private final Limits limits;
  private final ProbationSite site;
  private UpstreamView view;
  private Lane lane;

  /** The former lane, whose upstream has announced its end, until it has no connections. */
  private @Nullable Lane retiring;

  private boolean isGone;
  private int failures;
  private long brokenNs;
  private long retryAtNs;
  private boolean hasAcknowledged;
  private boolean isLeaving;
  private long leavingSinceNs;

  /** When the lane opened, by the clock that all shards share. */
  private long openedNs;

  UpstreamSlot(Limits limits, ProbationSite site, UpstreamView view, Lane lane) {
    this.limits = limits;
    this.site = site;
    this.view = view;
    this.lane = lane;
  }

  // --- inputs ---

  /** Discovery no longer lists it. */
  void gone() {
    isGone = true;
  }

  /**
   * Discovery lists it.
   *
   * @return whether its share of the connections has changed
   */
  boolean onView(long nowNs, UpstreamView next) {
    if (next.isServing() && !view.isServing()) {
      retryAtNs = nowNs;
    }
    boolean isShareChanged =
        next.isServing()
            && (next.effectiveWeight() != view.effectiveWeight()
                || !next.subset().equals(view.subset()));
    view = next;
    isGone = false;
    forEachLane(each -> each.onUpstreamChanged(next));
    return isShareChanged;
  }

  /** A lane broke; if it was not retiring, another is opened after a while. */
  void onLaneBroken(long nowNs, Lane broken, RandomGenerator random) {
    if (broken == retiring) {
      retiring = null;
      return;
    }
    if (broken != lane) {
      return;
    }
    // A lane that ends right after Settings has not worked either.
    boolean hasWorked = lane.hasWorkedFor(nowNs, limits.laneRetry().ceilingNs(failures));
    failures = hasWorked ? 1 : failures + 1;
    brokenNs = nowNs;
    retryAtNs = nowNs + retryNs(random);
    hasAcknowledged |= lane.isAcknowledging();
  }

  /** The lane is open. */
  void onLaneOpen() {
    openedNs = site.nowNs();
  }

  /** A new lane replaces the broken or retiring one. */
  void lane(Lane next) {
    lane = next;
  }

  /** The end of the lane was announced; a new one takes over. */
  void retireLane() {
    hasAcknowledged |= lane.isAcknowledging();
    failures = 1;
    retiring = lane;
  }

  /** Returns the retiring lane if it has no connections left, and forgets it. */
  @Nullable Lane takeRetired() {
    Lane retired = retiring;
    if (retired == null || retired.connectionCount() > 0) {
      return null;
    }
    retiring = null;
    return retired;
  }

  /** Re-evaluates whether connections have to leave it. */
  void noteLeaving(long nowNs) {
    boolean wasLeaving = isLeaving;
    isLeaving = causeToLeave() != null;
    if (isLeaving && !wasLeaving) {
      leavingSinceNs = nowNs;
    }
  }

  // --- outputs ---

  UpstreamView view() {
    return view;
  }

  Lane lane() {
    return lane;
  }

  void forEachLane(Consumer<Lane> action) {
    action.accept(lane);
    if (retiring != null) {
      action.accept(retiring);
    }
  }

  /**
   * Returns the retiring lane if its connections have to leave it: to its successor, or, if that
   * could not be opened, to another upstream, also while it is tried again.
   */
  @Nullable Lane laneToLeave() {
    boolean hasFailed = lane.isBroken() || failures > 1;
    return lane.isAcceptingConnections() || hasFailed ? retiring : null;
  }

  /** Whether connections have to leave even the lane for new connections. */
  boolean shouldLeaveAcceptingLane() {
    return causeToLeave() != null || acceptingLane() == laneToLeave();
  }

  /** Returns the lane for new connections; null if there is none. */
  @Nullable Lane acceptingLane() {
    if (isGone || !view.isServing()) {
      return null;
    }
    if (lane.isAcceptingConnections()) {
      return lane;
    }
    return retiring != null && retiring.isAcceptingConnections() ? retiring : null;
  }

  /** Whether, as far as any shard knows, its lane leads to the current process. */
  boolean isSettled() {
    return site.isSettled(openedNs);
  }

  /** The upstream as all shards see it. */
  ProbationSite site() {
    return site;
  }

  /** Whether Settings came on a former lane. */
  boolean hasAcknowledged() {
    return hasAcknowledged;
  }

  /**
   * Whether the broken lane has to be replaced now.
   *
   * @param longestNs the longest wait before a retry
   */
  boolean isRetryDue(long nowNs, long longestNs) {
    boolean isDue = retryAtNs - nowNs <= 0 || nowNs - brokenNs >= longestNs;
    return lane.isBroken() && !isGone && isDue;
  }

  /**
   * Whether the lane has to be replaced because its end was announced. An upstream that announces
   * this all the time is not dialled more often than one whose lanes break.
   */
  boolean isReplacementDue(long nowNs) {
    return lane.isOpen()
        && lane.isGoingAway()
        && retiring == null
        && causeToLeave() == null
        && lane.hasWorkedFor(nowNs, limits.laneRetry().ceilingNs(failures));
  }

  /** Why connections have to leave it; null if they do not. */
  ResumeState.@Nullable Cause causeToLeave() {
    if (lane.isHeldBack()) {
      return ResumeState.Cause.LEADER_CHANGED;
    }
    return lane.isDraining() || isGone || view.isDraining() ? ResumeState.Cause.DRAINING : null;
  }

  /** Whether connections have been leaving it for this long; called only while they are. */
  boolean hasBeenLeavingFor(long nowNs, long timeoutNs) {
    return nowNs - leavingSinceNs >= timeoutNs;
  }

  /** Whether discovery does not list it and it has no connections. */
  boolean isUnused() {
    return isGone
        && lane.connectionCount() == 0
        && (retiring == null || retiring.connectionCount() == 0);
  }

  // --- transitions ---

  /**
   * Returns the wait before a retry. It doubles with each failure, with jitter over its upper half,
   * so that shards and bridges do not retry in step.
   */
  private long retryNs(RandomGenerator random) {
    long longestNs = limits.laneRetry().ceilingNs(failures);
    return longestNs / 2 + random.nextLong(longestNs / 2 + 1);
  }
}
