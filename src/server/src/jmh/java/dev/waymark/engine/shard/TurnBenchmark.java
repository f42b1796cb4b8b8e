package dev.waymark.engine.shard;

import dev.waymark.engine.connection.Connection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Turns of a shard with {@value #CONNECTIONS} connections, of which {@value #ACTIVE} are active per
 * turn. Scores are per frame, including flushes.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class TurnBenchmark {
  private static final int CONNECTIONS = 1_000;
  private static final int ACTIVE = 16;
  private static final int UPSTREAMS = 4;

  @Param({"64", "1024", "16384"})
  private int payloadBytes;

  private final BenchShard shard = new BenchShard(UPSTREAMS);
  private final Connection[] connections = new Connection[CONNECTIONS];

  /** Slices of one buffer, as in a received batch. */
  private final ByteBuf[] replies = new ByteBuf[ACTIVE];

  private int next;

  @Setup
  public void setUp() {
    for (int i = 0; i < CONNECTIONS; i++) {
      connections[i] = shard.accept();
    }
    shard.endTurn();
    ByteBuf batch = received(ACTIVE * payloadBytes);
    for (int i = 0; i < ACTIVE; i++) {
      replies[i] = batch.slice(i * payloadBytes, payloadBytes);
    }
  }

  /** Client bytes go from sockets to lanes; then the owner of each connection consumes them. */
  @Benchmark
  @OperationsPerInvocation(ACTIVE)
  public int batchToLane() {
    sendRequests();
    for (int i = 0; i < ACTIVE; i++) {
      shard.consume(connection(i));
    }
    return endTurn();
  }

  /** Replies go from lanes to sockets, which accept them; credit goes back. */
  @Benchmark
  @OperationsPerInvocation(ACTIVE)
  public int batchToSockets() {
    for (int i = 0; i < ACTIVE; i++) {
      shard.reply(connection(i), replies[i]);
    }
    return endTurn();
  }

  /** Requests are sent and answered in the next turn. */
  @Benchmark
  @OperationsPerInvocation(ACTIVE)
  public int requestAndReply() {
    sendRequests();
    for (int i = 0; i < ACTIVE; i++) {
      shard.answer(connection(i), replies[i]);
    }
    return endTurn();
  }

  private void sendRequests() {
    for (int i = 0; i < ACTIVE; i++) {
      shard.request(connection(i), received(payloadBytes));
    }
    shard.endTurn();
  }

  private int endTurn() {
    shard.endTurn();
    next = (next + ACTIVE) % CONNECTIONS;
    return next;
  }

  private Connection connection(int i) {
    return connections[(next + i) % CONNECTIONS];
  }

  /** A buffer like those that Netty fills from sockets. */
  private static ByteBuf received(int bytes) {
    return ByteBufAllocator.DEFAULT.directBuffer(bytes).writerIndex(bytes);
  }
}
