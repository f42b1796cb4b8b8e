package dev.waymark.engine.shard;

import dev.waymark.engine.base.Limits;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoisonQuarantine;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.protocol.Framing;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A shard with the default limits, acknowledging upstreams and a manual clock. Confined to one
 * thread.
 */
final class BenchShard {
  /** The simulated duration of a turn. */
  private static final long TURN_NS = 10_000;

  private static final long SECOND_NS = 1_000_000_000L;
  private static final String POOL = "pool";
  private static final String LISTENER = "listener";

  private final QuietEdge edge = new QuietEdge();
  private final UpstreamFrame frame = new UpstreamFrame();
  private final Shard shard;
  private long nowNs;
  private int accepted;

  BenchShard(int upstreams) {
    PoolOptions pool =
        new PoolOptions(
            POOL,
            PoolOptions.Acknowledge.AUTO,
            5 * SECOND_NS,
            64 * 1024,
            PoolOptions.Moving.DEFAULTS);
    shard =
        new Shard(
            nowNs,
            new ShardIdentity(0, 1, 42, "node", "0"),
            Limits.DEFAULTS,
            List.of(new PoolSetup(pool, edge, new PoisonQuarantine(System::nanoTime))),
            List.of(new ListenerOptions(LISTENER, POOL, Framing.RAW, 0, 0)),
            edge,
            edge,
            edge,
            new MemoryBudget(Limits.DEFAULTS.memoryBudgetBytes()),
            new SplittableRandom(1));
    attach(upstreams);
  }

  private void attach(int upstreams) {
    shard.onPool(
        nowNs,
        new PoolSnapshot(
            POOL,
            1,
            IntStream.range(0, upstreams)
                .mapToObj(i -> new UpstreamView("10.1.0." + i + ":7000", true, "", 1, Map.of()))
                .toList()));
    for (Lane lane : edge.lanes()) {
      lane.onReady(nowNs);
      control(lane, new UpstreamControl.Settings(1, 0, false, false));
    }
    endTurn();
  }

  /** Accepts a client and attaches it. */
  Connection accept() {
    QuietSocket socket = new QuietSocket(this, accepted++);
    Connection connection = shard.onAccepted(nowNs, 1, LISTENER, socket);
    socket.connection(connection);
    return connection;
  }

  /** Receives bytes from a client. */
  void request(Connection connection, ByteBuf owned) {
    connection.onClientBytes(nowNs, owned, false);
  }

  /** The owner consumes everything that it was sent, without a reply. */
  void consume(Connection connection) {
    reply(connection, Unpooled.EMPTY_BUFFER, connection.sentOffset());
  }

  /** The owner consumes everything that it was sent, and replies. */
  void answer(Connection connection, ByteBuf borrowed) {
    reply(connection, borrowed, connection.sentOffset());
  }

  /** The owner sends bytes in the middle of a reply. */
  void reply(Connection connection, ByteBuf borrowed) {
    reply(connection, borrowed, UpstreamFrame.ABSENT);
  }

  private void reply(Connection connection, ByteBuf borrowed, long consumed) {
    frame.clear().connection(connection.sequence()).epoch(connection.epoch());
    frame.payload(borrowed).consumed(consumed);
    ((Lane) Objects.requireNonNull(connection.owner())).onFrame(nowNs, frame);
  }

  private void control(Lane lane, UpstreamControl control) {
    lane.onFrame(nowNs, frame.clear().control(control));
  }

  /** Ends the turn, which flushes each socket and lane once, and advances the clock. */
  void endTurn() {
    shard.onTurnEnd(nowNs);
    nowNs += TURN_NS;
    if (shard.nextDeadlineNs() - nowNs <= 0) {
      shard.onDeadline(nowNs);
    }
  }

  /** Lets time pass in which nothing happens except that upstreams answer Pings. */
  void rest(int seconds) {
    for (int i = 0; i < seconds; i++) {
      long untilNs = nowNs + SECOND_NS;
      while (shard.nextDeadlineNs() - untilNs <= 0) {
        nowNs = shard.nextDeadlineNs();
        shard.onDeadline(nowNs);
        endTurn();
      }
      nowNs = untilNs;
      edge.lanes().forEach(lane -> control(lane, new UpstreamControl.Pong(1)));
      endTurn();
    }
  }

  int connectionCount() {
    return shard.connectionCount();
  }

  long nowNs() {
    return nowNs;
  }
}
