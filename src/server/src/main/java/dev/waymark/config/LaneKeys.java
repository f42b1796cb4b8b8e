package dev.waymark.config;

import java.time.Duration;

/**
 * The keys of lanes. Their defaults equal those of the engine's Limits; a test compares them.
 * Immutable.
 */
public final class LaneKeys {
  static final KeyGroup<BridgeConfig> GROUP = new KeyGroup<>("Lanes", Scope.BRIDGE, "lanes.");

  public static final Key<BridgeConfig, Integer> WINDOW =
      GROUP
          .key("window", ValueType.size("1KiB", "1GiB"))
          .byDefault("256KiB")
          .meaning(
              "Client bytes of one connection that may be in flight and not yet consumed. An upstream may ask for less.");

  public static final Key<BridgeConfig, Integer> INITIAL_WINDOW =
      GROUP
          .key("initial-window", ValueType.size("1", "1GiB"))
          .byDefault("16KiB")
          .atMost(WINDOW)
          .meaning("The window until the upstream's first message on the lane.");

  public static final Key<BridgeConfig, Integer> REPLY_WINDOW =
      GROUP
          .key("reply-window", ValueType.size("1KiB", "1GiB"))
          .byDefault("256KiB")
          .meaning("Reply bytes that an upstream may send ahead of the client's socket.");

  public static final Key<BridgeConfig, Integer> REPLY_QUEUE =
      GROUP
          .key("reply-queue", ValueType.size("1KiB", "1GiB"))
          .byDefault("1MiB")
          .meaning(
              "Reply bytes that may wait for a client whose upstream does not acknowledge, before the connection is closed.");

  public static final Key<BridgeConfig, Integer> BATCH =
      GROUP
          .key("batch", ValueType.size("1KiB", "896KiB"))
          .byDefault("256KiB")
          .meaning("A batch that reaches this size is sent before the turn ends.");

  public static final Key<BridgeConfig, Integer> QUEUE =
      GROUP
          .key("queue", ValueType.size("1KiB", "1GiB"))
          .byDefault("1MiB")
          .meaning("Bytes per lane that are handed to gRPC ahead of the transport.");

  public static final Key<BridgeConfig, Duration> SETTINGS_TIMEOUT =
      GROUP
          .key("settings-timeout", ValueType.duration("1h"))
          .byDefault("1s")
          .meaning(
              "How long a full initial window waits for the upstream's first message on the lane.");

  public static final Key<BridgeConfig, Duration> COMMIT_TIMEOUT =
      GROUP
          .key("commit-timeout", ValueType.duration("1h"))
          .byDefault("10s")
          .meaning("How long an unfinished commit is held back before its connection is closed.");

  public static final Key<BridgeConfig, Duration> PING_INTERVAL =
      GROUP
          .key("ping-interval", ValueType.duration("1h"))
          .byDefault("2s")
          .meaning("A lane that is silent for this long is sent a Ping.");

  public static final Key<BridgeConfig, Duration> LANE_TIMEOUT =
      GROUP
          .key("lane-timeout", ValueType.duration("1h"))
          .byDefault("6s")
          .above(PING_INTERVAL)
          .meaning("A lane on which nothing arrives for this long after a Ping counts as broken.");

  public static final Key<BridgeConfig, Duration> RETRY_MIN =
      GROUP
          .key("retry-min", ValueType.duration("1h"))
          .byDefault("100ms")
          .meaning("Delay before a broken lane is opened again. Doubles with every failure.");

  public static final Key<BridgeConfig, Duration> RETRY_MAX =
      GROUP
          .key("retry-max", ValueType.duration("1h"))
          .byDefault("10s")
          .atLeast(RETRY_MIN)
          .meaning("Longest delay before a broken lane is opened again.");

  public static final Key<BridgeConfig, Duration> CREDIT_DELAY =
      GROUP
          .key("credit-delay", ValueType.duration("10s"))
          .byDefault("20ms")
          .meaning("How long a small credit update waits for data that it can be sent with.");

  public static final Key<BridgeConfig, Duration> PUSH_WAIT =
      GROUP
          .key("push-wait", ValueType.duration("1h"))
          .byDefault("5s")
          .meaning("How long pushed bytes wait for the end of a reply.");

  public static final Key<BridgeConfig, Integer> PUSH_BYTES_MAX =
      GROUP
          .key("push-bytes-max", ValueType.size("1KiB", "1GiB"))
          .byDefault("64KiB")
          .meaning(
              "Pushed bytes of one connection that may wait, for the end of a reply or for the client's socket.");

  private LaneKeys() {}
}
