package dev.waymark.config;

import dev.waymark.protocol.Framing;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The keys of a listener and of the clients' connections that it accepts. Immutable. */
public final class ListenerKeys {
  static final KeyGroup<ListenerConfig> GROUP = new KeyGroup<>("Listeners", Scope.LISTENER, "");

  public static final Key<ListenerConfig, String> NAME =
      GROUP
          .key("name", ValueType.name())
          .byDefault("default")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("Name of the listener in logs and metrics; unique.");

  static final Key<ListenerConfig, HostPort> ADDRESS =
      GROUP
          .key("address", HostPort.listening())
          .byDefault("127.0.0.1:7000")
          .flag("--listen")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Where clients connect. 0.0.0.0:7000, or :7000 for short, means every IPv4 address and no IPv6 address; [::]:7000 means every address of both families, or of IPv4 on a host without IPv6. Port 0 means any free port.");

  public static final Key<ListenerConfig, String> POOL =
      GROUP
          .key("pool", ValueType.name())
          .readByHand()
          .example("default")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("Pool whose upstreams own the connections. Default: the only pool.");

  public static final Key<ListenerConfig, Framing> FRAMING =
      GROUP
          .key("framing", ValueType.word(framingWords()))
          .byDefault("raw")
          .readByHand()
          .flag("--framing")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "How the client's bytes are split into messages: one of these words, or a map with `type`.");

  /** The rest of a listener's keys; in the reference they follow {@link FramingKeys}. */
  static final KeyGroup<ListenerConfig> CONNECTIONS =
      new KeyGroup<>("Client connections", Scope.LISTENER, "");

  public static final Key<ListenerConfig, Integer> FRAME_MAX =
      CONNECTIONS
          .key("frame-max", ValueType.size("1", "16MiB"))
          .byDefault("64KiB")
          .flag("--frame-max")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Largest message of a framed listener, at most lanes.window. Ignored with raw framing.");

  public static final Key<ListenerConfig, Integer> CONNECTIONS_MAX =
      CONNECTIONS
          .key("connections-max", ValueType.number(1, 10_000_000))
          .byDefault("100000")
          .flag("--connections-max")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("Connections at a time. A client beyond the limit is closed immediately.");

  public static final Key<ListenerConfig, Integer> BACKLOG =
      CONNECTIONS
          .key("backlog", ValueType.number(1, 65_535))
          .byDefault("4096")
          .onReload(OnReload.NEW_ADDRESS)
          .meaning("Connections that may wait in the kernel to be accepted.");

  public static final Key<ListenerConfig, Boolean> NO_DELAY =
      CONNECTIONS
          .key("no-delay", ValueType.bool())
          .byDefault("true")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("TCP_NODELAY on clients' sockets.");

  public static final Key<ListenerConfig, Boolean> KEEP_ALIVE =
      CONNECTIONS
          .key("keep-alive", ValueType.bool())
          .byDefault("true")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("SO_KEEPALIVE on clients' sockets.");

  public static final Key<ListenerConfig, Duration> USER_TIMEOUT =
      CONNECTIONS
          .key("user-timeout", ValueType.durationOrOff("24h"))
          .byDefault("30s")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "A connection is closed when the client's host has left bytes unacknowledged for this long (TCP_USER_TIMEOUT). off: the kernel decides.");

  public static final Key<ListenerConfig, Duration> IDLE_TIMEOUT =
      CONNECTIONS
          .key("idle-timeout", ValueType.durationOrOff("8760h"))
          .byDefault("1h")
          .flag("--idle-timeout")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "A connection on which no byte moves in either direction for this long is closed. off: never.");

  public static final Key<ListenerConfig, List<String>> PUSH_FROM =
      CONNECTIONS
          .key("push-from", ValueType.names())
          .orElse(List.of())
          .example("guests")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Other pools whose upstreams may push to the connections and have them announced.");

  public static final Key<ListenerConfig, Duration> AGE_MAX =
      CONNECTIONS
          .key("connection-age-max", ValueType.durationOrOff("8760h"))
          .byDefault("off")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "A connection older than this is closed between messages, so that clients spread over a fleet of bridges again. off: never.");

  public static final Key<ListenerConfig, Integer> AGE_JITTER =
      CONNECTIONS
          .key("connection-age-jitter", ValueType.number(0, 90))
          .byDefault("10")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Maximum percentage by which connection-age-max is shortened; the amount differs for each connection.");

  public static final Key<ListenerConfig, Duration> AGE_GRACE =
      CONNECTIONS
          .key("connection-age-grace", ValueType.durationOrOff("24h"))
          .byDefault("30s")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "How long past its age a connection may stay open while messages are in progress.");

  private ListenerKeys() {}

  private static Map<String, Framing> framingWords() {
    Map<String, Framing> words = new LinkedHashMap<>();
    words.put("raw", Framing.RAW);
    words.put("line", new Framing.Line());
    words.put("varint", new Framing.Varint());
    return words;
  }
}
