package dev.waymark.config;

import dev.waymark.protocol.Framing;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The keys of a listener. Immutable. */
final class ListenerKeys {
  /** The `type` of a framing that is written as a map. */
  enum FramingType {
    RAW,
    LINE,
    VARINT,
    DELIMITER,
    FIXED,
    LENGTH_PREFIXED
  }

  /** Order of the bytes of a length field. */
  enum ByteOrder {
    BIG,
    LITTLE
  }

  private static final String AT = "listeners[].";
  private static final String FRAMED = AT + "framing.";

  static final Key<String> NAME =
      Key.of(
          AT + "name",
          ValueType.name(),
          "default",
          "Name of the listener in logs and metrics; unique.");
  static final Key<HostPort> ADDRESS =
      Key.of(
              AT + "address",
              HostPort.listening(),
              "127.0.0.1:7000",
              "Where clients connect. 0.0.0.0:7000, or :7000 for short, is every IPv4 address and no IPv6 one; [::]:7000 is every address of both, or of IPv4 where the host has no IPv6. Port 0 is any free port.")
          .withFlag("--listen");
  static final Key<String> POOL =
      Key.without(
          AT + "pool",
          ValueType.name(),
          "Pool whose upstreams own the connections; by default the only one there is.");
  static final Key<Framing> FRAMING =
      Key.of(
              AT + "framing",
              ValueType.word(framingWords()),
              "raw",
              "How the client's bytes are cut into messages: one of these words, or a map with `type`.")
          .withFlag("--framing");
  static final Key<FramingType> FRAMING_TYPE =
      Key.without(
          FRAMED + "type",
          ValueType.word(FramingType.class),
          "The framing, where it needs more than a word.");
  static final Key<byte[]> FRAMING_DELIMITER =
      Key.without(
          FRAMED + "delimiter",
          ValueType.delimiter(),
          "What ends a message; with type delimiter, where it must be given.");
  static final Key<Integer> FRAMING_SIZE =
      Key.without(
          FRAMED + "size",
          ValueType.size("1", "16MiB"),
          "Bytes of every message; with type fixed, where it must be given.");
  static final Key<Integer> FRAMING_LENGTH_BYTES =
      Key.of(
          FRAMED + "length-bytes",
          ValueType.word(lengthBytes()),
          "4",
          "Bytes of the length field; with type length-prefixed.");
  static final Key<ByteOrder> FRAMING_BYTE_ORDER =
      Key.of(
          FRAMED + "byte-order",
          ValueType.word(ByteOrder.class),
          "big",
          "Byte order of the length field; with type length-prefixed.");
  static final Key<Integer> FRAMING_LENGTH_OFFSET =
      Key.of(
          FRAMED + "length-offset",
          ValueType.number(0, 65_536),
          "0",
          "Bytes before the length field; with type length-prefixed.");
  static final Key<Integer> FRAMING_LENGTH_ADJUSTMENT =
      Key.of(
          FRAMED + "length-adjustment",
          ValueType.number(-65_536, 65_536),
          "0",
          "Added to the value of the length field to give the bytes that follow it; with type length-prefixed.");
  static final Key<Integer> FRAME_MAX =
      Key.of(
              AT + "frame-max",
              ValueType.size("1", "16MiB"),
              "64KiB",
              "Largest message of a framed listener, never above lanes.window; no meaning with raw.")
          .withFlag("--frame-max");
  static final Key<Integer> CONNECTIONS_MAX =
      Key.of(
              AT + "connections-max",
              ValueType.number(1, 10_000_000),
              "100000",
              "A client beyond it is closed at once.")
          .withFlag("--connections-max");
  static final Key<Integer> BACKLOG =
      Key.of(
          AT + "backlog",
          ValueType.number(1, 65_535),
          "4096",
          "Connections that wait in the kernel to be accepted.");
  static final Key<Boolean> NO_DELAY =
      Key.of(AT + "no-delay", ValueType.bool(), "true", "TCP_NODELAY on clients' sockets.");
  static final Key<Boolean> KEEP_ALIVE =
      Key.of(AT + "keep-alive", ValueType.bool(), "true", "SO_KEEPALIVE on clients' sockets.");
  static final Key<Duration> USER_TIMEOUT =
      Key.of(
          AT + "user-timeout",
          ValueType.durationOrOff("24h"),
          "30s",
          "Bytes that a client does not acknowledge for this long end its connection; off: the kernel's own.");
  static final Key<Duration> IDLE_TIMEOUT =
      Key.of(
              AT + "idle-timeout",
              ValueType.durationOrOff("8760h"),
              "1h",
              "A connection on which no byte moves either way for this long is closed; off: never.")
          .withFlag("--idle-timeout");
  static final Key<List<String>> PUSH_FROM =
      Key.without(
          AT + "push-from",
          ValueType.names(),
          "Other pools whose upstreams may push to the connections, and have them announced.");
  static final Key<Duration> AGE_MAX =
      Key.of(
          AT + "connection-age-max",
          ValueType.durationOrOff("8760h"),
          "off",
          "An older connection is closed where no message is under way, so that clients spread over a fleet of bridges anew; off: never.");
  static final Key<Integer> AGE_JITTER =
      Key.of(
          AT + "connection-age-jitter",
          ValueType.number(0, 90),
          "10",
          "Percent by which connection-age-max is shortened at most, for each connection by another part of it.");
  static final Key<Duration> AGE_GRACE =
      Key.of(
          AT + "connection-age-grace",
          ValueType.durationOrOff("24h"),
          "30s",
          "How much older a connection may become while messages are under way, before it is closed anyway.");

  static final List<Key<?>> ALL =
      List.of(
          NAME,
          ADDRESS,
          POOL,
          FRAMING,
          FRAMING_TYPE,
          FRAMING_DELIMITER,
          FRAMING_SIZE,
          FRAMING_LENGTH_BYTES,
          FRAMING_BYTE_ORDER,
          FRAMING_LENGTH_OFFSET,
          FRAMING_LENGTH_ADJUSTMENT,
          FRAME_MAX,
          CONNECTIONS_MAX,
          BACKLOG,
          NO_DELAY,
          KEEP_ALIVE,
          USER_TIMEOUT,
          IDLE_TIMEOUT,
          PUSH_FROM,
          AGE_MAX,
          AGE_JITTER,
          AGE_GRACE);

  private ListenerKeys() {}

  private static Map<String, Framing> framingWords() {
    Map<String, Framing> words = new LinkedHashMap<>();
    words.put("raw", Framing.RAW);
    words.put("line", new Framing.Line());
    words.put("varint", new Framing.Varint());
    return words;
  }

  private static Map<String, Integer> lengthBytes() {
    Map<String, Integer> words = new LinkedHashMap<>();
    for (int count : new int[] {1, 2, 3, 4, 8}) {
      words.put(Integer.toString(count), count);
    }
    return words;
  }
}
