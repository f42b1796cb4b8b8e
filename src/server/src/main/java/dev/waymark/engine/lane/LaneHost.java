package dev.waymark.engine.lane;

import dev.waymark.engine.base.Limits;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ConnectionHost;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl.Push;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What a lane needs from its shard. Called on the shard's thread only. */
public interface LaneHost {
  Limits limits();

  /** As {@link ConnectionHost#elapsedNs}. */
  long elapsedNs(long nowNs);

  /**
   * Starts a call to the lane's upstream. Called by the constructor of the lane, so nothing may be
   * called on the lane before this method returns. A failure is not thrown but reported later, by
   * {@link Lane#onBroken}; success by {@link Lane#onReady}.
   *
   * @return the transport of the call
   */
  LaneTransport connect(Lane lane);

  /** Asks for {@link Lane#flush} at the end of this turn. */
  void flushAtTurnEnd(Lane lane);

  /** Returns the open connection with this sequence, or null if there is none. */
  @Nullable Connection connection(long sequence);

  /** Whether this shard ever gave a mark with this sequence. */
  boolean hasIssued(long sequence);

  /** Calls the action with each connection that the lane owns; it may change their owners. */
  void forEachOn(Lane lane, Consumer<Connection> action);

  /**
   * A push came on a lane of this pool.
   *
   * @param reply gets the result, once, now or later
   */
  void push(long nowNs, String pool, Push push, Consumer<PushResult> reply);

  /** Starts or stops announcements of connections on this lane (rule 6). */
  void announce(Lane lane, boolean isWanted);

  /** A lane is writable again, and may take announcements. */
  void onAnnounceable();
}
