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

  /** Opens a call to the lane's upstream; no input reaches the lane during this method. */
  LaneTransport connect(Lane lane);

  /** {@link Lane#flush} at the end of this turn. */
  void flushAtTurnEnd(Lane lane);

  /** The open connection with this sequence; null if there is none. */
  @Nullable Connection connection(long sequence);

  /** Whether this shard ever gave a mark with this sequence. */
  boolean hasIssued(long sequence);

  /** Calls the action with each connection that the lane owns; it may change their owners. */
  void forEachOn(Lane lane, Consumer<Connection> action);

  /**
   * A push came on a lane of this pool.
   *
   * @param reply told what became of it, once, now or later
   */
  void push(long nowNs, String pool, Push push, Consumer<PushResult> reply);

  /** The upstream asked for announcements of all connections, or wants them no more (rule 6). */
  void announce(Lane lane, boolean isWanted);

  /** The lane takes announcements again. */
  void onAnnounceable();
}
