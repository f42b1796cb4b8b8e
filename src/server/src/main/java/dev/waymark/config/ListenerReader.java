package dev.waymark.config;

import dev.waymark.config.FramingKeys.ByteOrder;
import dev.waymark.config.FramingKeys.FramingType;
import dev.waymark.config.Values.Elements;
import dev.waymark.protocol.Framing;
import java.nio.file.Path;
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
    List<CertificateFiles> certificates = certificates(i);
    checkTls(i, certificates);
    return new ListenerConfig(
        addresses.add(settings.get(ListenerKeys.ADDRESS, i)),
        certificates,
        values.with(ListenerKeys.POOL, pool(i)).with(ListenerKeys.FRAMING, framing));
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

  private List<CertificateFiles> certificates(int i) {
    String path = "listeners[" + i + "].tls.certificates";
    Optional<Elements> list = settings.values().list(path);
    list.filter(found -> found.count() == 0)
        .ifPresent(found ->
            settings.refuse(
                found.origin(), path + ": an empty list (expected: at least one certificate)"));
    List<CertificateFiles> files = new ArrayList<>();
    int count = list.map(Elements::count).orElse(settings.values().under(path).isEmpty() ? 0 : 1);
    for (int j = 0; j < count; j++) {
      Optional<Setting<Path>> certificate = certificate(i, j, list);
      Optional<Path> key = key(i, j, list);
      certificate
          .map(Setting::value)
          .ifPresent(found -> files.add(new CertificateFiles(found, key.orElse(found))));
    }
    return files;
  }

  private Optional<Path> key(int i, int j, Optional<Elements> list) {
    Optional<Setting<Path>> key = settings.find(TlsKeys.KEY, i, j);
    boolean isOneOfSeveral = list.filter(found -> found.count() > 1).isPresent();
    key.filter(found -> isOneOfSeveral && !(found.origin() instanceof Origin.File))
        .ifPresent(this::refuseWithoutCertificate);
    return key.map(Setting::value);
  }

  private void refuseWithoutCertificate(Setting<Path> key) {
    settings.refuse(key, "together with " + TlsKeys.CERTIFICATE.flag().orElseThrow());
  }

  private Optional<Setting<Path>> certificate(int i, int j, Optional<Elements> list) {
    if (list.isPresent()) {
      return settings.demand(TlsKeys.CERTIFICATE, list.get().elements().get(j), i, j);
    }
    Optional<Setting<Path>> certificate = settings.find(TlsKeys.CERTIFICATE, i, j);
    if (settings.values().value(TlsKeys.CERTIFICATE.at(i, j)).isEmpty()) {
      settings.find(TlsKeys.KEY, i, j).ifPresent(this::refuseWithoutCertificate);
    }
    return certificate;
  }

  private void checkTls(int i, List<CertificateFiles> certificates) {
    if (certificates.isEmpty()) {
      refuseWithoutCertificates(i);
      return;
    }
    Setting<TlsKeys.ClientAuth> auth = settings.get(TlsKeys.CLIENT_AUTH, i);
    if (auth.value() != TlsKeys.ClientAuth.NONE
        && settings.values().value(TlsKeys.CLIENT_CA.at(i)).isEmpty()) {
      settings.refuse(auth, "together with " + TlsKeys.CLIENT_CA.name());
    }
    if (auth.value() == TlsKeys.ClientAuth.NONE) {
      for (Key<ListenerConfig, Optional<Path>> key :
          List.of(TlsKeys.CLIENT_CA, TlsKeys.CLIENT_CRL)) {
        settings
            .find(key, i)
            .ifPresent(given ->
                settings.refuse(
                    given,
                    "together with " + TlsKeys.CLIENT_AUTH.name() + " optional or required"));
      }
    }
    settings
        .find(TlsKeys.TICKET_KEYS, i)
        .filter(_ -> settings.value(TlsKeys.ENGINE, i) == TlsKeys.Engine.JDK)
        .ifPresent(
            keys -> settings.refuse(keys, "an engine other than jdk, which has its own keys"));
  }

  /** Somebody who writes one of these keys believes that the listener speaks TLS. */
  private void refuseWithoutCertificates(int i) {
    if (settings.values().list("listeners[" + i + "].tls.certificates").isPresent()) {
      return;
    }
    for (Key<ListenerConfig, ?> key : TlsKeys.GROUP.keys()) {
      settings
          .values()
          .value(key.at(i))
          .ifPresent(
              value -> settings.refuse(key, value, key.at(i), "together with tls.certificates"));
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
