package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;

/**
 * Learns of all connections of the bridges, whoever owns them (protocol.md, rule 6). What a lane
 * announces is void when the lane ends. Calls for one lane come one at a time, in order, under its
 * lock; calls for several lanes may come at the same time. They must not block.
 */
public interface AnnouncementListener {
  /**
   * Everything that this lane announced so far is void: it begins, has ended, or begins anew
   * because this upstream read too slowly. The first call for every lane, and the last.
   */
  void onForget(AnnouncingLane lane);

  /** A connection exists. */
  void onOpened(AnnouncingLane lane, String mark, String listener, String clientAddress);

  /** A connection has ended; perhaps one that was never announced. */
  void onClosed(AnnouncingLane lane, String mark, CloseReason reason);

  /** All connections of that shard have been announced; from here on come changes. */
  void onSynced(AnnouncingLane lane);
}
