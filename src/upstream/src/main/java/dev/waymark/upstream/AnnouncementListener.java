package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;

/**
 * Told of all connections of the bridges, whoever owns them (protocol.md, rule 6). What a lane
 * announces is void when the lane ends. Calls of one lane come one at a time, in order, under its
 * lock; those of several lanes at the same time. They must not block.
 */
public interface AnnouncementListener {
  /**
   * What this lane announced so far is void: it begins, or begins anew since this upstream read too
   * slowly, or has ended. The first call of every lane, and the last.
   */
  void onForget(AnnouncingLane lane);

  /** A connection is there. */
  void onOpened(AnnouncingLane lane, String mark, String listener, String clientAddress);

  /** A connection is no more; maybe one that was never announced. */
  void onClosed(AnnouncingLane lane, String mark, CloseReason reason);

  /** All connections of that shard were announced; from here on come changes. */
  void onSynced(AnnouncingLane lane);
}
