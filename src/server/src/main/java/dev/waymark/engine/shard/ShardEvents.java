package dev.waymark.engine.shard;

import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.connection.ForcedDetach;
import dev.waymark.engine.pool.UpstreamEvents;
import dev.waymark.protocol.Mark;

/**
 * Listener for what happens in a shard, for logs and the control plane. Called on the shard's
 * thread; must not block.
 */
public interface ShardEvents extends UpstreamEvents {
  void onConnectionOpened(Mark mark, String listener, String clientAddress);

  /** Called for every connection; an upstream that hangs may cause thousands of calls. */
  void onForcedDetach(ForcedDetach detach);

  void onConnectionClosed(ConnectionSummary summary);

  void onOverBudget(long usedBytes, long budgetBytes);

  void onUnderBudget(long usedBytes, long budgetBytes);
}
