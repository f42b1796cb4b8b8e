package dev.waymark.engine.pool;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.Evidence;
import dev.waymark.engine.connection.Owner;
import dev.waymark.engine.lane.Lane;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Suspects on one lane, whose upstream is set apart for them (rule 3). It is emptied of others,
 * given a few suspects, and so on until none are left. Confined to its shard's thread.
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
   * Suspects are about to be given to the lane, so many in all.
   *
   * @param isSettled the lane is one to the process that runs now, for all that is known
   */
  void begin(long nowNs, int count, Predicate<Lane> isSettled) {
    sinceNs = nowNs;
    isRunning = true;
    longestNs = 0;
    size = count;
    // In this order: whatever happens between two of these shows in the later one.
    expectedStamp = site.stampOfOneMore();
    wasClean = site.isClean() && isSettled.test(lane);
  }

  void add(Connection suspect) {
    longestNs = Math.max(longestNs, suspect.ownership().roundNs());
    group.add(suspect);
  }

  /**
   * It was answered, or has left the lane, or ended.
   *
   * @return whether it was the last one of the group
   */
  boolean remove(Owner.Attached connection) {
    return group.remove(connection) && group.isEmpty();
  }

  /** The group has been answered, or has had its time: the lane is emptied for the next one. */
  void end(long nowNs) {
    group.clear();
    isRunning = false;
    sinceNs = nowNs;
  }

  /** The lane broke: so much do its suspects tell of one another. */
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

  /** Suspects have been given to the lane, and the round of these has not ended. */
  boolean isRunning() {
    return isRunning;
  }

  /** How many the group had at first. */
  int size() {
    return size;
  }

  /** All of the group have been answered, or have gone. */
  boolean isAnswered() {
    return group.isEmpty();
  }

  /** How long the group may run. */
  long longestNs() {
    return longestNs;
  }

  /** How long the group has run, or the lane has been emptied. */
  long ageNs(long nowNs) {
    return nowNs - sinceNs;
  }

  /** In what company this connection lost the lane; asked once that has broken. */
  Evidence.Company company(Connection connection) {
    return group.contains(connection) ? company : Evidence.Company.OTHERS;
  }
}
