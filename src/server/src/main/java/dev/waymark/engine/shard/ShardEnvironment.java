package dev.waymark.engine.shard;

import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl;
import java.util.function.Consumer;

/** What a shard needs from outside; implemented at the edge. Called on the shard's thread only. */
public interface ShardEnvironment {
  /** Asks for one call of {@link Shard#onTurnEnd} when the current input has been handled. */
  void requestTurnEnd();

  /** Asks for {@link Shard#onDeadline} at {@link Shard#nextDeadlineNs}, which became earlier. */
  void requestDeadline(long deadlineNs);

  /** Starts a call to the lane's upstream, as {@code LaneHost.connect} says. */
  LaneTransport connect(Lane lane);

  /**
   * Hands a push to the shard that holds its connection: {@link Shard#onPush} on its thread.
   *
   * @param pool the pool of the lane on which it came
   * @param reply gets the result, once, on this shard's thread
   * @return false if too many are under way already, and the push was not taken
   */
  boolean forwardPush(
      int shard, String pool, UpstreamControl.Push push, Consumer<PushResult> reply);

  /**
   * The process is far over its memory budget, but this shard holds no more than its share: asks
   * for {@link Shard#onMemoryAsked} of the other shards.
   */
  void askOthersToFree();

  /** The process is over its memory budget: accept no client until {@link #resumeAccepting}. */
  void pauseAccepting();

  /** The process is under its memory budget again. */
  void resumeAccepting();
}
