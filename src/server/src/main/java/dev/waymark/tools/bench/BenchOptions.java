package dev.waymark.tools.bench;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * The validated options of a run. Immutable.
 *
 * @param label a name for the results, or empty
 * @param targets the resolved addresses to connect to; connections are spread over them evenly
 * @param connections how many concurrent connections
 * @param sizes the sizes of the requests in bytes
 * @param window the maximum of requests in flight on one connection
 * @param rate requests per second in total, or connections per second with CONNECT_BURST; 0 for as
 *     fast as replies come
 * @param seconds how long to measure
 * @param warmupSeconds how long to run before measuring
 * @param sources the local addresses to connect from, in turn; if empty, the system chooses
 * @param tls whether connections speak TLS
 * @param isReset whether to close connections with RST instead of FIN
 * @param threads how many event loops
 * @param intervalMs the interval between lines of progress
 * @param processes the IDs of the processes whose CPU and memory usage is reported
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
    Tls tls,
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
    /** They send requests and wait for the replies. */
    LOAD,
    /** Each sends one request and is closed, and another takes its place. */
    CONNECT_BURST,
    /** They do nothing but send one request at the end. */
    IDLE
  }

  /** Whether connections speak TLS, and how their handshakes go. */
  public enum Tls {
    OFF,
    /** Each handshake is a full one. */
    FULL,
    /** Sessions of earlier connections to the same target are resumed. */
    RESUMED
  }

  boolean isPaced() {
    return rate > 0;
  }
}
