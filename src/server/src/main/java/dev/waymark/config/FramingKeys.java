package dev.waymark.config;

import java.util.LinkedHashMap;
import java.util.Map;

/** The keys of a framing that is written as a map. Immutable. */
final class FramingKeys {
  /** The {@code type} of such a framing. */
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

  private static final String DELIMITER_TYPE = "delimiter";
  private static final String FIXED_TYPE = "fixed";
  private static final String LENGTH_PREFIXED_TYPE = "length-prefixed";

  static final KeyGroup<ListenerConfig> GROUP = new KeyGroup<>("Framing", Scope.FRAMING, "");

  static final Key<ListenerConfig, FramingType> TYPE =
      GROUP
          .key("type", ValueType.word(FramingType.class))
          .required()
          .readByHand()
          .example(LENGTH_PREFIXED_TYPE)
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("The framing, where it needs more than a word.");

  static final Key<ListenerConfig, byte[]> DELIMITER =
      GROUP
          .key("delimiter", ValueType.delimiter())
          .onlyWithType(DELIMITER_TYPE)
          .required()
          .readByHand()
          .example("\"\\r\\n\"")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("What ends a message. Required with type delimiter.");

  static final Key<ListenerConfig, Integer> SIZE =
      GROUP
          .key("size", ValueType.size("1", "16MiB"))
          .onlyWithType(FIXED_TYPE)
          .required()
          .readByHand()
          .example("16")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("Bytes of every message. Required with type fixed.");

  static final Key<ListenerConfig, Integer> LENGTH_BYTES =
      GROUP
          .key("length-bytes", ValueType.word(lengthBytes()))
          .onlyWithType(LENGTH_PREFIXED_TYPE)
          .byDefault("4")
          .readByHand()
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("Bytes of the length field, with type length-prefixed.");

  static final Key<ListenerConfig, ByteOrder> BYTE_ORDER =
      GROUP
          .key("byte-order", ValueType.word(ByteOrder.class))
          .onlyWithType(LENGTH_PREFIXED_TYPE)
          .byDefault("big")
          .readByHand()
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("Byte order of the length field, with type length-prefixed.");

  static final Key<ListenerConfig, Integer> LENGTH_OFFSET =
      GROUP
          .key("length-offset", ValueType.number(0, 65_536))
          .onlyWithType(LENGTH_PREFIXED_TYPE)
          .byDefault("0")
          .readByHand()
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("Bytes before the length field, with type length-prefixed.");

  static final Key<ListenerConfig, Integer> LENGTH_ADJUSTMENT =
      GROUP
          .key("length-adjustment", ValueType.number(-65_536, 65_536))
          .onlyWithType(LENGTH_PREFIXED_TYPE)
          .byDefault("0")
          .readByHand()
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Added to the length field's value to give the number of bytes that follow it, with type length-prefixed.");

  private FramingKeys() {}

  private static Map<String, Integer> lengthBytes() {
    Map<String, Integer> words = new LinkedHashMap<>();
    for (int count : new int[] {1, 2, 3, 4, 8}) {
      words.put(Integer.toString(count), count);
    }
    return words;
  }
}
