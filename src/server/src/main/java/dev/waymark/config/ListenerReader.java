package dev.waymark.config;

import dev.waymark.config.ListenerKeys.ByteOrder;
import dev.waymark.config.ListenerKeys.FramingType;
import dev.waymark.engine.connection.AgeOptions;
import dev.waymark.protocol.Framing;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Makes listeners of settings. Confined to one load. */
final class ListenerReader {
  private final Settings settings;
  private final AddressBook addresses;
  private final List<String> pools;
  private final Setting<Integer> window;

  /**
   * @param pools their names
   * @param window no frame is larger
   */
  ListenerReader(
      Settings settings, AddressBook addresses, List<String> pools, Setting<Integer> window) {
    this.settings = settings;
    this.addresses = addresses;
    this.pools = pools;
    this.window = window;
  }

  List<ListenerConfig> read(int count) {
    List<ListenerConfig> listeners = new ArrayList<>();
    UniqueNames names = new UniqueNames(settings);
    for (int i = 0; i < count; i++) {
      listeners.add(listener(i, names));
    }
    return listeners;
  }

  private ListenerConfig listener(int i, UniqueNames names) {
    String name = names.add(settings.get(ListenerKeys.NAME, i));
    Setting<HostPort> address = settings.get(ListenerKeys.ADDRESS, i);
    String pool = pool(i);
    Framing framing = framing(i);
    Setting<Integer> frameMax = settings.get(ListenerKeys.FRAME_MAX, i);
    checkFrame(i, framing, frameMax);
    return new ListenerConfig(
        name,
        addresses.add(address),
        pool,
        framing,
        frameMax.value(),
        settings.value(ListenerKeys.CONNECTIONS_MAX, i),
        settings.value(ListenerKeys.BACKLOG, i),
        settings.value(ListenerKeys.NO_DELAY, i),
        settings.value(ListenerKeys.KEEP_ALIVE, i),
        settings.value(ListenerKeys.USER_TIMEOUT, i),
        settings.value(ListenerKeys.IDLE_TIMEOUT, i),
        pushFrom(i),
        age(i));
  }

  private AgeOptions age(int i) {
    return new AgeOptions(
        settings.value(ListenerKeys.AGE_MAX, i).toNanos(),
        settings.value(ListenerKeys.AGE_JITTER, i),
        settings.value(ListenerKeys.AGE_GRACE, i).toNanos());
  }

  private List<String> pushFrom(int i) {
    Optional<Setting<List<String>>> pushFrom = settings.find(ListenerKeys.PUSH_FROM, i);
    pushFrom.ifPresent(setting -> {
      if (!pools.containsAll(setting.value())) {
        settings.refuse(
            setting,
            "names of pools, separated by commas: " + String.join(", ", pools),
            "; add the pool or name only these");
      }
    });
    return pushFrom.map(Setting::value).orElse(List.of());
  }

  private String pool(int i) {
    String path = ListenerKeys.POOL.at(i);
    if (pools.size() > 1 && settings.values().value(path).isEmpty()) {
      refuseMissing(i, path, String.join(", ", pools));
      return pools.getFirst();
    }
    Setting<String> pool = settings.get(ListenerKeys.POOL, pools.getFirst(), i);
    if (!pools.contains(pool.value())) {
      String meant =
          Nearest.to(pool.value(), pools)
              .map(near -> "; did you mean " + near + "?")
              .orElse("; add the pool or name one of these");
      settings.refuse(pool, "the name of a pool: " + String.join(", ", pools), meant);
    }
    return pool.value();
  }

  private void refuseMissing(int i, String path, String words) {
    // Several pools, and maps, are in files only.
    Origin.File at = settings.values().near("listeners[" + i + "]").orElseThrow();
    settings.refuse(at, path + ": missing (expected one of: " + words + ")");
  }

  private Framing framing(int i) {
    if (settings.values().under(ListenerKeys.FRAMING.at(i) + ".").isEmpty()) {
      return settings.value(ListenerKeys.FRAMING, i);
    }
    Optional<Setting<FramingType>> type = settings.find(ListenerKeys.FRAMING_TYPE, i);
    if (type.isEmpty()) {
      if (settings.values().value(ListenerKeys.FRAMING_TYPE.at(i)).isEmpty()) {
        refuseMissing(
            i, ListenerKeys.FRAMING_TYPE.at(i), ListenerKeys.FRAMING_TYPE.type().expected());
      }
      return Framing.RAW;
    }
    checkOthers(i, type.get().value());
    return framing(i, type.get());
  }

  private Framing framing(int i, Setting<FramingType> type) {
    return switch (type.value()) {
      case RAW -> Framing.RAW;
      case LINE -> new Framing.Line();
      case VARINT -> new Framing.Varint();
      case DELIMITER ->
          new Framing.Delimiter(
              needed(type, ListenerKeys.FRAMING_DELIMITER, i).orElse(new byte[] {'\n'}));
      case FIXED -> new Framing.Fixed(needed(type, ListenerKeys.FRAMING_SIZE, i).orElse(1));
      case LENGTH_PREFIXED -> lengthPrefixed(i);
    };
  }

  private Framing lengthPrefixed(int i) {
    int lengthBytes = settings.value(ListenerKeys.FRAMING_LENGTH_BYTES, i);
    ByteOrder order = settings.value(ListenerKeys.FRAMING_BYTE_ORDER, i);
    int offset = settings.value(ListenerKeys.FRAMING_LENGTH_OFFSET, i);
    int adjustment = settings.value(ListenerKeys.FRAMING_LENGTH_ADJUSTMENT, i);
    return new Framing.LengthPrefixed(offset, lengthBytes, order == ByteOrder.LITTLE, adjustment);
  }

  private <T> Optional<T> needed(Setting<FramingType> type, Key<T> key, int i) {
    if (settings.values().value(key.at(i)).isEmpty()) {
      String name = key.path().substring(key.path().lastIndexOf('.') + 1);
      settings.refuse(type, "with " + name + " beside it");
    }
    return settings.find(key, i).map(Setting::value);
  }

  /** Keys that the type does not use are mistakes, not decoration. */
  private void checkOthers(int i, FramingType type) {
    String prefix = ListenerKeys.FRAMING.at(i) + ".";
    settings
        .values()
        .under(prefix)
        .forEach((name, value) -> {
          FramingType user = userOf(name, type);
          if (user != type) {
            String word =
                user == FramingType.LENGTH_PREFIXED
                    ? "length-prefixed"
                    : user.name().toLowerCase(Locale.ROOT);
            settings.refuse(value, prefix + name, "only with type " + word);
          }
        });
  }

  private static FramingType userOf(String name, FramingType any) {
    return switch (name) {
      case "delimiter" -> FramingType.DELIMITER;
      case "size" -> FramingType.FIXED;
      case "length-bytes", "byte-order", "length-offset", "length-adjustment" ->
          FramingType.LENGTH_PREFIXED;
      default -> any;
    };
  }

  private void checkFrame(int i, Framing framing, Setting<Integer> frameMax) {
    if (framing instanceof Framing.Raw) {
      return;
    }
    settings.checkOrder(frameMax, window, true);
    switch (framing) {
      case Framing.Fixed fixed -> checkFits(i, ListenerKeys.FRAMING_SIZE, fixed.bytes(), frameMax);
      case Framing.Delimiter delimiter ->
          checkFits(i, ListenerKeys.FRAMING_DELIMITER, delimiter.delimiter().length, frameMax);
      case Framing.LengthPrefixed prefix -> {
        int header = prefix.lengthOffset() + prefix.lengthBytes();
        int smallest = header + Math.max(0, prefix.lengthAdjustment());
        checkFits(i, ListenerKeys.FRAMING_TYPE, smallest, frameMax);
      }
      case Framing.Line _, Framing.Varint _, Framing.Raw _ -> {}
    }
  }

  private void checkFits(int i, Key<?> blamed, int smallestBytes, Setting<Integer> frameMax) {
    if (smallestBytes > frameMax.value()) {
      String expected =
          "messages of at most frame-max "
              + frameMax.text()
              + "; the smallest has "
              + smallestBytes
              + " bytes";
      settings
          .values()
          .value(blamed.at(i))
          .ifPresent(value -> settings.refuse(value, blamed.at(i), expected));
    }
  }
}
