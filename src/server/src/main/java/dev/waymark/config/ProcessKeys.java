package dev.waymark.config;

import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.config.LogConfig.Format;
import dev.waymark.config.LogConfig.Level;
import java.time.Duration;
import java.util.List;

/**
 * The keys that hold for the whole bridge; the defaults of lanes are those of core.Limits (a test
 * compares). Immutable.
 */
final class ProcessKeys {
  static final Key<HostPort> ADMIN_ADDRESS =
      Key.of(
              "admin.address",
              HostPort.listening(),
              "127.0.0.1:7080",
              "Where metrics, health and state are served over HTTP, to everybody who reaches it. Wildcards as in listeners[].address.")
          .withFlag("--admin");
  static final Key<List<String>> ADMIN_HOSTS =
      Key.without(
              "admin.hosts",
              ValueType.hostNames(),
              "Names by which the admin port may be asked for (the header Host), besides IP addresses, localhost, names without a dot and the name in admin.address.")
          .withFlag("--admin-hosts");
  static final Key<HostPort> ECHO =
      Key.of(
              "echo",
              HostPort.listening(),
              "127.0.0.1:4770",
              "Where the embedded echo upstream listens, which runs only where no pool and no upstream is named; if nobody sets it and it is taken, any free port.")
          .withFlag("--echo");
  static final Key<Format> LOG_FORMAT =
      Key.of("log.format", ValueType.word(Format.class), "text", "How log lines look.")
          .withFlag("--log-format");
  static final Key<Level> LOG_LEVEL =
      Key.of("log.level", ValueType.word(Level.class), "info", "What is logged: this and worse.")
          .withFlag("--log-level");
  static final Key<Boolean> LOG_ACCESS =
      Key.of("log.access", ValueType.bool(), "true", "One line at the end of every connection.")
          .withFlag("--log-access");
  static final Key<Transport> TRANSPORT =
      Key.of(
              "transport",
              ValueType.word(Transport.class),
              "auto",
              "What carries the sockets; auto takes the first of io_uring, epoll, nio that works here.")
          .withFlag("--transport");
  static final Key<Integer> SHARDS =
      Key.of(
              "shards",
              ValueType.number(0, 1024),
              "0",
              "Event loops, each with its own connections; 0: half the cores, at least one.")
          .withFlag("--shards");
  static final Key<String> NODE =
      Key.without(
              "node",
              ValueType.text(1, 253),
              "Name of this bridge to upstreams and in logs; by default the host's name.")
          .withFlag("--node");
  static final Key<Duration> DRAIN_TIMEOUT =
      Key.of(
              "drain-timeout",
              ValueType.durationOrOff("24h"),
              "30s",
              "What existing connections get after SIGTERM; off: nothing.")
          .withFlag("--drain-timeout");
  static final Key<Duration> START_TIMEOUT =
      Key.of(
          "start-timeout",
          ValueType.durationOrOff("1h"),
          "2s",
          "Listeners open after this even without a SERVING upstream.");
  static final Key<Long> MEMORY_BUDGET =
      Key.of(
              "memory-budget",
              ValueType.longSize("1MiB", "1024GiB"),
              "128MiB",
              "Client and reply bytes that the bridge holds, and 192 for each piece of them, before it stops reading and accepting.")
          .withFlag("--memory-budget");
  static final Key<Duration> LINGER_TIMEOUT =
      Key.of(
          "linger-timeout",
          ValueType.duration("1h"),
          "10s",
          "A socket that is closed cleanly is reset when it takes nothing, and does not close, for this long.");

  static final Key<Integer> WINDOW =
      Key.of(
          "lanes.window",
          ValueType.size("1KiB", "1GiB"),
          "256KiB",
          "Client bytes of one connection that may be under way and not consumed; an upstream may ask for less.");
  static final Key<Integer> INITIAL_WINDOW =
      Key.of(
          "lanes.initial-window",
          ValueType.size("1", "1GiB"),
          "16KiB",
          "The window until the upstream's first message on the lane.");
  static final Key<Integer> GRANT =
      Key.of(
          "lanes.grant",
          ValueType.size("1KiB", "1GiB"),
          "256KiB",
          "Reply bytes that an upstream may send ahead of what the client's socket took.");
  static final Key<Integer> REPLY_QUEUE =
      Key.of(
          "lanes.reply-queue",
          ValueType.size("1KiB", "1GiB"),
          "1MiB",
          "Reply bytes that wait for a client whose upstream does not acknowledge, before it is closed.");
  static final Key<Integer> BATCH =
      Key.of(
          "lanes.batch",
          ValueType.size("1KiB", "896KiB"),
          "256KiB",
          "A batch that has grown to this leaves before the turn ends.");
  static final Key<Integer> QUEUE =
      Key.of(
          "lanes.queue",
          ValueType.size("1KiB", "1GiB"),
          "1MiB",
          "Bytes handed to gRPC ahead of the transport, per lane.");
  static final Key<Duration> SETTINGS_TIMEOUT =
      Key.of(
          "lanes.settings-timeout",
          ValueType.duration("1h"),
          "1s",
          "How long a full initial window waits for the upstream's first message on the lane.");
  static final Key<Duration> COMMIT_TIMEOUT =
      Key.of(
          "lanes.commit-timeout",
          ValueType.duration("1h"),
          "10s",
          "How long an unfinished commit is held back.");
  static final Key<Duration> PING_INTERVAL =
      Key.of(
          "lanes.ping-interval",
          ValueType.duration("1h"),
          "2s",
          "A lane that is silent for this long is sent a Ping.");
  static final Key<Duration> LANE_TIMEOUT =
      Key.of(
          "lanes.lane-timeout",
          ValueType.duration("1h"),
          "6s",
          "A lane from which nothing comes for this long after a Ping is broken.");
  static final Key<Duration> RETRY_MIN =
      Key.of(
          "lanes.retry-min",
          ValueType.duration("1h"),
          "100ms",
          "First wait before a broken lane is opened again; doubled each time.");
  static final Key<Duration> RETRY_MAX =
      Key.of("lanes.retry-max", ValueType.duration("1h"), "10s", "Longest such wait.");
  static final Key<Duration> CREDIT_DELAY =
      Key.of(
          "lanes.credit-delay",
          ValueType.duration("10s"),
          "20ms",
          "How long a small credit waits for data to travel with.");
  static final Key<Duration> PUSH_WAIT =
      Key.of(
          "lanes.push-wait",
          ValueType.duration("1h"),
          "5s",
          "How long pushed bytes wait for the end of a reply.");
  static final Key<Integer> PUSH_BYTES_MAX =
      Key.of(
          "lanes.push-bytes-max",
          ValueType.size("1KiB", "1GiB"),
          "64KiB",
          "Pushed bytes of one connection that wait, for the end of a reply or for the client's socket.");

  static final List<Key<?>> ALL =
      List.of(
          ADMIN_ADDRESS,
          ADMIN_HOSTS,
          ECHO,
          LOG_FORMAT,
          LOG_LEVEL,
          LOG_ACCESS,
          TRANSPORT,
          SHARDS,
          NODE,
          DRAIN_TIMEOUT,
          START_TIMEOUT,
          MEMORY_BUDGET,
          LINGER_TIMEOUT,
          WINDOW,
          INITIAL_WINDOW,
          GRANT,
          REPLY_QUEUE,
          BATCH,
          QUEUE,
          SETTINGS_TIMEOUT,
          COMMIT_TIMEOUT,
          PING_INTERVAL,
          LANE_TIMEOUT,
          RETRY_MIN,
          RETRY_MAX,
          CREDIT_DELAY,
          PUSH_WAIT,
          PUSH_BYTES_MAX);

  private ProcessKeys() {}
}
