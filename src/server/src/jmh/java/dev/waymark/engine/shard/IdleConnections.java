package dev.waymark.engine.shard;

import dev.waymark.engine.connection.Connection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Measures the heap that an idle connection occupies in the engine. Opens many connections,
 * attaches them to acknowledging upstreams, answers one request on each, lets them rest, and reads
 * the heap usage. This includes the client's address and the 32 bytes of the simulated socket.
 *
 * <p>Prints a line of JSON, and a class histogram to standard error. The exit code is 1 if a
 * connection occupies too much.
 */
public final class IdleConnections {
  private static final int CONNECTIONS = 1_000_000;
  private static final int BYTES_MAX = 1024;
  private static final int UPSTREAMS = 4;

  /** Longer than any timeout that is armed for an idle connection. */
  private static final int REST_SECONDS = 61;

  private static final int REQUEST_BYTES = 64;

  /** How many connections are active per turn. */
  private static final int ACTIVE = 64;

  private static final int HISTOGRAM_LINES = 24;

  private IdleConnections() {}

  public static void main(String[] args) throws JMException {
    int count = args.length > 0 ? Integer.parseInt(args[0]) : CONNECTIONS;
    BenchShard shard = new BenchShard(UPSTREAMS);
    long emptyBytes = usedBytes();
    for (int opened = 0; opened < count; opened += ACTIVE) {
      open(shard, Math.min(ACTIVE, count - opened));
    }
    shard.rest(REST_SECONDS);
    long each = (usedBytes() - emptyBytes) / shard.connectionCount();
    System.err.println(histogram());
    System.out.printf(
        "{\"connections\": %d, \"heapBytesPerConnection\": %d, \"bytesMax\": %d}%n",
        shard.connectionCount(), each, BYTES_MAX);
    System.exit(each <= BYTES_MAX && shard.connectionCount() == count ? 0 : 1);
  }

  private static void open(BenchShard shard, int count) {
    Connection[] connections = new Connection[count];
    for (int i = 0; i < count; i++) {
      connections[i] = shard.accept();
      shard.request(connections[i], received());
    }
    shard.endTurn();
    ByteBuf reply = received();
    for (Connection connection : connections) {
      shard.answer(connection, reply);
    }
    reply.release();
    shard.endTurn();
  }

  private static ByteBuf received() {
    return ByteBufAllocator.DEFAULT.directBuffer(REQUEST_BYTES).writerIndex(REQUEST_BYTES);
  }

  /** Used heap after full collections. The second frees what cleaners released after the first. */
  private static long usedBytes() {
    System.gc();
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static String histogram() throws JMException {
    Object text =
        ManagementFactory.getPlatformMBeanServer()
            .invoke(
                new ObjectName("com.sun.management:type=DiagnosticCommand"),
                "gcClassHistogram",
                new Object[] {new String[0]},
                new String[] {String[].class.getName()});
    return text.toString().lines().limit(HISTOGRAM_LINES).collect(Collectors.joining("\n"));
  }
}
