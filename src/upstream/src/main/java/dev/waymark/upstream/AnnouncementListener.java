package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;

/**
 * Is told about all connections of the bridges, whichever upstream owns them (protocol.md, rule 6).
 * The announcements of a lane are void when the lane ends. Calls for one lane come one at a time,
 * in order, under its lock; calls for different lanes may be concurrent. Implementations must not
 * block.
 */
public interface AnnouncementListener {
  /**
   * Called first and last for every lane: everything that it has announced so far is void. The lane
   * begins, has ended, or starts over because this upstream read too slowly.
   */
  void onForget(AnnouncingLane lane);

  /** Called when a connection exists. */
  void onOpened(AnnouncingLane lane, String mark, String listener, String clientAddress);

  /** Called when a connection has ended, perhaps one that was never announced. */
  void onClosed(AnnouncingLane lane, String mark, CloseReason reason);

  /** Called when all connections of that shard have been announced. Changes follow. */
  void onSynced(AnnouncingLane lane);
}
