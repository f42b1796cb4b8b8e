package dev.waymark.engine.shard;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.engine.shard.RecentCloses.Close;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.PushResult.Outcome;
import dev.waymark.protocol.UpstreamControl.Push;
import java.util.Collection;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Passes a push to the connection that it names, or answers why that is not possible (rule 6).
 * Confined to its shard's thread.
 *
 * <p>A pool must not learn about connections of listeners to which it may not push. So if it may
 * push to some listeners only, a mark whose listener is unknown is FORBIDDEN. Connections of a
 * listener that a reload has removed are FORBIDDEN to pools that could not push to them.
 */
final class PushRouter {
  /** How many closes a bridge remembers, over all its shards. */
  static final int CLOSES_MAX = 65_536;

  private final ShardIdentity identity;
  private final ShardEnvironment environment;
  private final ConnectionTable connections;
  private final Collection<ListenerOptions> listeners;
  private final LongPredicate hasIssued;
  private final RecentCloses closes;

  /**
   * @param connections the connections of the shard; a live view
   * @param listeners the listeners of the shard; a live view
   * @param hasIssued whether the shard ever gave a mark with this sequence
   */
  PushRouter(
      ShardIdentity identity,
      ShardEnvironment environment,
      ConnectionTable connections,
      Collection<ListenerOptions> listeners,
      LongPredicate hasIssued) {
    this.identity = identity;
    this.environment = environment;
    this.connections = connections;
    this.listeners = listeners;
    this.hasIssued = hasIssued;
    this.closes = new RecentCloses(Math.max(1, CLOSES_MAX / identity.count()));
  }

  // --- inputs ---

  /**
   * A push came on a lane of this shard.
   *
   * @param pool the pool of the lane
   * @param reply gets the result, once, now or later, on this thread
   */
  void push(long nowNs, String pool, Push push, Consumer<PushResult> reply) {
    Mark mark = push.mark();
    if (mark == null || mark.instance() != identity.instance()) {
      boolean isOpenToNone = listeners.stream().noneMatch(listener -> listener.isOpenTo(pool));
      reply.accept(
          PushResult.of(push.id(), isOpenToNone ? Outcome.FORBIDDEN : Outcome.NEVER_EXISTED));
    } else {
      int home = (int) (mark.sequence() % identity.count());
      if (home == identity.index()) {
        pushHere(nowNs, pool, push, mark.sequence(), reply);
      } else if (!environment.forwardPush(home, pool, push, reply)) {
        reply.accept(PushResult.full(push.id(), 0));
      }
    }
  }

  /** A connection's socket is closed. */
  void onConnectionGone(Connection connection, @Nullable CloseReason reason, long closedUnixMs) {
    closes.add(
        connection.sequence(), new Close(connection.info().listener(), reason, closedUnixMs));
  }

  // --- transitions ---

  private void pushHere(
      long nowNs, String pool, Push push, long sequence, Consumer<PushResult> reply) {
    Connection connection = connections.get(sequence);
    Close close = connection == null ? closes.find(sequence) : null;
    if (connection != null && connection.info().listener().isOpenTo(pool)) {
      connection.push(nowNs, push, reply);
    } else if (close != null && close.listener().isOpenTo(pool)) {
      reply.accept(PushResult.gone(push.id(), close.reason(), close.closedUnixMs()));
    } else if (connection != null || close != null) {
      reply.accept(PushResult.of(push.id(), Outcome.FORBIDDEN));
    } else {
      reply.accept(unknown(pool, push.id(), sequence));
    }
  }

  private PushResult unknown(String pool, long id, long sequence) {
    boolean isOpenToAll =
        !listeners.isEmpty() && listeners.stream().allMatch(listener -> listener.isOpenTo(pool));
    if (!isOpenToAll) {
      return PushResult.of(id, Outcome.FORBIDDEN);
    }
    return hasIssued.test(sequence)
        ? PushResult.gone(id, null, 0)
        : PushResult.of(id, Outcome.NEVER_EXISTED);
  }
}
