package dev.waymark.engine.pool;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.Evidence;
import dev.waymark.engine.connection.Owner;
import dev.waymark.engine.lane.Lane;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Predicate;

/**
 * One round of probation on a lane that is set apart for suspects (rule 3): its other connections
 * leave, a few suspects are attached, and they are answered, time out, or lose the lane. Confined
 * to its shard's thread.
 */
final class ProbationRound {
  private final Lane lane;
  private final ProbationSite site;
  private final Set<Connection> group = new LinkedHashSet<>();
  private long sinceNs;
  private boolean isRunning;
  private boolean wasClean;
  private long expectedStamp;
  private int size;
  private long longestNs;
  private Evidence.Company company = Evidence.Company.OTHERS;

  ProbationRound(long nowNs, Lane lane, ProbationSite site) {
    this.lane = lane;
    this.site = site;
    this.sinceNs = nowNs;
  }

  // --- inputs ---

  /**
   * This many suspects are about to be attached to the lane.
   *
   * @param isSettled whether, as far as is known, a lane leads to the current process
   */
  void begin(long nowNs, int count, Predicate<Lane> isSettled) {
    sinceNs = nowNs;
    isRunning = true;
    longestNs = 0;
    size = count;
    // The order matters: a change between these two lines shows in the later one.
    expectedStamp = site.stampOfOneMore();
    wasClean = site.isClean() && isSettled.test(lane);
  }

  void add(Connection suspect) {
    longestNs = Math.max(longestNs, suspect.ownership().roundNs());
    group.add(suspect);
  }

  /**
   * The connection was answered, or has left the lane, or has ended.
   *
   * @return whether it was the last suspect of the group
   */
  boolean remove(Owner.Attached connection) {
    return group.remove(connection) && group.isEmpty();
  }

  /** The group was answered or has had its time: the lane is emptied for the next round. */
  void end(long nowNs) {
    group.clear();
    isRunning = false;
    sinceNs = nowNs;
  }

  /** The lane broke: records how isolated its suspects were. */
  void onBroken() {
    boolean isIsolated = wasClean && site.stamp() == expectedStamp;
    if (isRunning && size == 1) {
      company = isIsolated ? Evidence.Company.NOBODY : Evidence.Company.NO_OTHER_SUSPECT;
    }
  }

  // --- outputs ---

  Lane lane() {
    return lane;
  }

  ProbationSite site() {
    return site;
  }

  /** Whether suspects are attached and the round has not ended. */
  boolean isRunning() {
    return isRunning;
  }

  /** How many suspects the round began with. */
  int size() {
    return size;
  }

  /** Whether all suspects of the round were answered or have left. */
  boolean isAnswered() {
    return group.isEmpty();
  }

  /** How long the round may last. */
  long longestNs() {
    return longestNs;
  }

  /** How long the round has been running, or the lane has been emptying. */
  long ageNs(long nowNs) {
    return nowNs - sinceNs;
  }

  /** Returns how isolated this connection was; called after the lane has broken. */
  Evidence.Company company(Connection connection) {
    return group.contains(connection) ? company : Evidence.Company.OTHERS;
  }
}
