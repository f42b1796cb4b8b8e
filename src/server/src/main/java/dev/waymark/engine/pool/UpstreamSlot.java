package dev.waymark.engine.pool;

import dev.waymark.engine.base.Limits;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.protocol.ResumeState;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Where an upstream stands in one shard: its lane, when a broken one is opened again, and whether
 * it is being left. Confined to its shard's thread.
 */
final class UpstreamSlot {
  private final Limits limits;
  private final ProbationSite site;
  private UpstreamView view;
  private Lane lane;
  private boolean isGone;
  private int failures;
  private long brokenNs;
  private long retryAtNs;
  private boolean hasAcknowledged;
  private boolean isLeft;
  private long leftSinceNs;

  /** By the time that all shards share. */
  private long openedNs;

  UpstreamSlot(Limits limits, ProbationSite site, UpstreamView view, Lane lane) {
    this.limits = limits;
    this.site = site;
    this.view = view;
    this.lane = lane;
  }

  // --- inputs ---

  /** Discovery names it no more. */
  void gone() {
    isGone = true;
  }

  /**
   * Discovery names it.
   *
   * @return whether another share is due to it
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
    lane.onUpstreamChanged(next);
    return isShareChanged;
  }

  /** Its lane broke: another is opened after a while. */
  void onLaneBroken(long nowNs, RandomGenerator random) {
    // One that ends as soon as it has said Settings has not worked either.
    boolean hasWorked = lane.hasWorkedFor(nowNs, longestRetryNs());
    failures = hasWorked ? 1 : failures + 1;
    brokenNs = nowNs;
    retryAtNs = nowNs + retryNs(random);
    hasAcknowledged |= lane.isAcknowledging();
  }

  /** Its lane is established. */
  void onLaneOpen() {
    openedNs = site.nowNs();
  }

  /** Another lane stands for the one that broke. */
  void lane(Lane next) {
    lane = next;
  }

  /** Time has passed, or views, options or its lane are others: it may be left from now on. */
  void noteLeaving(long nowNs) {
    boolean wasLeft = isLeft;
    isLeft = causeToLeave() != null;
    if (isLeft && !wasLeft) {
      leftSinceNs = nowNs;
    }
  }

  // --- outputs ---

  UpstreamView view() {
    return view;
  }

  Lane lane() {
    return lane;
  }

  /** Its lane is one to the process that runs now, for all that any shard knows. */
  boolean isSettled() {
    return site.isSettled(openedNs);
  }

  /** It, as all shards see it. */
  ProbationSite site() {
    return site;
  }

  /** A lane of it said Settings before it broke. */
  boolean hasAcknowledged() {
    return hasAcknowledged;
  }

  /**
   * @param longestNs it is retried after this at the latest
   */
  boolean isRetryDue(long nowNs, long longestNs) {
    boolean isDue = retryAtNs - nowNs <= 0 || nowNs - brokenNs >= longestNs;
    return lane.isBroken() && !isGone && isDue;
  }

  boolean isAcceptingConnections() {
    return !isGone && view.isServing() && lane.isAcceptingConnections();
  }

  /** Why it is being left; null if it is not. */
  ResumeState.@Nullable Cause causeToLeave() {
    if (lane.isHeldBack()) {
      return ResumeState.Cause.LEADER_CHANGED;
    }
    return lane.isDraining() || isGone || view.isDraining() ? ResumeState.Cause.DRAINING : null;
  }

  /** It has been left for so long; only of one that is. */
  boolean isLeftFor(long nowNs, long timeoutNs) {
    return nowNs - leftSinceNs >= timeoutNs;
  }

  /** Nobody needs it. */
  boolean isUnused() {
    return isGone && lane.connectionCount() == 0;
  }

  // --- transitions ---

  /**
   * Doubled with each failure, with full jitter in its upper half, so that shards and bridges do
   * not retry in step.
   */
  private long retryNs(RandomGenerator random) {
    long longestNs = longestRetryNs();
    return longestNs / 2 + random.nextLong(longestNs / 2 + 1);
  }

  private long longestRetryNs() {
    int doublings = Math.clamp(failures - 1, 0, 30);
    long cappedNs = Math.min(limits.laneRetryMaxNs(), limits.laneRetryMinNs() << doublings);
    return cappedNs <= 0 ? limits.laneRetryMaxNs() : cappedNs;
  }
}
