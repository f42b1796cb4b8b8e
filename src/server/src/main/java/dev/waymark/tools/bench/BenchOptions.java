package dev.waymark.tools.bench;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * What was asked for, checked. Immutable.
 *
 * @param label a name for the results; may be empty
 * @param targets where to connect, resolved; connections are dealt out over them in turn
 * @param connections at a time
 * @param sizes of the requests, in bytes
 * @param window requests under way on one connection, at most
 * @param rate requests, or connections with CONNECT_BURST, a second, all together; 0: as fast as
 *     replies come
 * @param seconds how long is measured
 * @param warmupSeconds how long is run before, and not measured
 * @param sources local addresses to connect from, in turn; empty: the system's choice
 * @param isReset connections are ended with RST in place of FIN
 * @param threads event loops
 * @param intervalMs between two lines of progress
 * @param processes whose use of CPU is told
 */
public record BenchOptions(
    String label,
    Mode mode,
    List<InetSocketAddress> targets,
    int connections,
    List<Integer> sizes,
    int window,
    double rate,
    double seconds,
    double warmupSeconds,
    List<InetAddress> sources,
    boolean isReset,
    int threads,
    int intervalMs,
    List<Long> processes) {
  public static final int CONNECTIONS_MAX = 1_000_000;
  public static final int SIZE_MAX = 16 << 20;
  public static final int WINDOW_MAX = 1_024;
  public static final int UNDER_WAY_MAX = 16 << 20;
  public static final double RATE_MAX = 10_000_000;
  public static final double SECONDS_MAX = 86_400;
  public static final int THREADS_MAX = 64;

  /** What the connections do. */
  public enum Mode {
    /** They ask and wait for the replies. */
    LOAD,
    /** Each asks once and is closed, and another takes its place. */
    CONNECT_BURST,
    /** They do nothing, and ask once at the end. */
    IDLE
  }

  boolean isPaced() {
    return rate > 0;
  }
}
