package dev.waymark.config;

import dev.waymark.config.FramingKeys.ByteOrder;
import dev.waymark.config.FramingKeys.FramingType;
import dev.waymark.protocol.Framing;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads listeners. Confined to one load. */
final class ListenerReader {
  private final Settings settings;
  private final AddressBook addresses;
  private final List<String> pools;
  private final Setting<Integer> window;

  /**
   * @param pools names of all pools
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
    KeyValues<ListenerConfig> values = settings.readAll(Scope.LISTENER, i);
    names.add(settings.get(ListenerKeys.NAME, i));
    Framing framing = framing(i);
    checkFrame(i, framing, settings.get(ListenerKeys.FRAME_MAX, i));
    settings.find(ListenerKeys.PUSH_FROM, i).ifPresent(this::checkPools);
    checkProxies(i);
    KeyValues<ListenerConfig> limited = new LimitReader(settings).read(values, i);
    return new ListenerConfig(
        addresses.add(settings.get(ListenerKeys.ADDRESS, i)),
        limited.with(ListenerKeys.POOL, pool(i)).with(ListenerKeys.FRAMING, framing));
  }

  /** Whoever may send a header may claim to be anybody, so there is no default. */
  private void checkProxies(int i) {
    Setting<ProxyProtocolKeys.Mode> mode = settings.get(ProxyProtocolKeys.MODE, i);
    String trusted = ProxyProtocolKeys.TRUSTED.at(i);
    if (mode.value() == ProxyProtocolKeys.Mode.REQUIRED
        && settings.values().value(trusted).isEmpty()) {
      settings.refuse(
          mode,
          "together with " + ProxyProtocolKeys.TRUSTED.name(),
          "; name the networks of your proxies, such as 10.0.0.0/8");
    }
  }

  private void checkPools(Setting<List<String>> names) {
    if (!pools.containsAll(names.value())) {
      settings.refuse(
          names,
          "names of pools, separated by commas: " + String.join(", ", pools),
          "; add the pool or name only these");
    }
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
    // Only a file can have several pools or a framing as a map.
    Origin.File at = settings.values().near("listeners[" + i + "]").orElseThrow();
    settings.refuse(at, path + ": missing (expected one of: " + words + ")");
  }

  private Framing framing(int i) {
    if (settings.values().under(framed(i)).isEmpty()) {
      return settings.value(ListenerKeys.FRAMING, i);
    }
    Optional<Setting<FramingType>> type = settings.find(FramingKeys.TYPE, i);
    if (type.isEmpty()) {
      if (settings.values().value(FramingKeys.TYPE.at(i)).isEmpty()) {
        refuseMissing(i, FramingKeys.TYPE.at(i), FramingKeys.TYPE.type().expected());
      }
      return Framing.RAW;
    }
    checkOthers(i, type.get());
    return framing(i, type.get());
  }

  /** Start of the paths of a framing that is written as a map. */
  private static String framed(int i) {
    return ListenerKeys.FRAMING.at(i) + ".";
  }

  private Framing framing(int i, Setting<FramingType> type) {
    return switch (type.value()) {
      case RAW -> Framing.RAW;
      case LINE -> new Framing.Line();
      case VARINT -> new Framing.Varint();
      case DELIMITER ->
          new Framing.Delimiter(needed(type, FramingKeys.DELIMITER, i).orElse(new byte[] {'\n'}));
      case FIXED -> new Framing.Fixed(needed(type, FramingKeys.SIZE, i).orElse(1));
      case LENGTH_PREFIXED -> lengthPrefixed(i);
    };
  }

  private Framing lengthPrefixed(int i) {
    int lengthBytes = settings.value(FramingKeys.LENGTH_BYTES, i);
    ByteOrder order = settings.value(FramingKeys.BYTE_ORDER, i);
    int offset = settings.value(FramingKeys.LENGTH_OFFSET, i);
    int adjustment = settings.value(FramingKeys.LENGTH_ADJUSTMENT, i);
    return new Framing.LengthPrefixed(offset, lengthBytes, order == ByteOrder.LITTLE, adjustment);
  }

  private <T> Optional<T> needed(Setting<FramingType> type, Key<ListenerConfig, T> key, int i) {
    if (settings.values().value(key.at(i)).isEmpty()) {
      settings.refuse(type, "together with " + key.name());
    }
    return settings.find(key, i).map(Setting::value);
  }

  /** A key that the type does not use is a mistake. */
  private void checkOthers(int i, Setting<FramingType> type) {
    for (Key<ListenerConfig, ?> key : FramingKeys.GROUP.keys()) {
      String user = key.onlyWithType().orElse(type.text());
      if (!user.equalsIgnoreCase(type.text())) {
        settings
            .values()
            .value(key.at(i))
            .ifPresent(value -> settings.refuse(key, value, key.at(i), "only with type " + user));
      }
    }
  }

  private void checkFrame(int i, Framing framing, Setting<Integer> frameMax) {
    if (framing instanceof Framing.Raw) {
      return;
    }
    settings.checkOrder(frameMax, window, true);
    switch (framing) {
      case Framing.Fixed fixed -> checkFits(i, FramingKeys.SIZE, fixed.bytes(), frameMax);
      case Framing.Delimiter delimiter ->
          checkFits(i, FramingKeys.DELIMITER, delimiter.delimiter().length, frameMax);
      case Framing.LengthPrefixed prefix -> {
        int header = prefix.lengthOffset() + prefix.lengthBytes();
        int smallest = header + Math.max(0, prefix.lengthAdjustment());
        checkFits(i, FramingKeys.TYPE, smallest, frameMax);
      }
      case Framing.Line _, Framing.Varint _, Framing.Raw _ -> {}
    }
  }

  private void checkFits(int i, Key<?, ?> blamed, int smallestBytes, Setting<Integer> frameMax) {
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
          .ifPresent(value -> settings.refuse(blamed, value, blamed.at(i), expected));
    }
  }
}
