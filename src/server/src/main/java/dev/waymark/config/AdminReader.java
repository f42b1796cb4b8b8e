package dev.waymark.config;

import dev.waymark.config.ServerTlsConfig.ClientCertificates;
import dev.waymark.config.TlsKeys.ClientAuth;
import dev.waymark.config.TlsKeys.Engine;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the settings of the admin port. Confined to one load. */
final class AdminReader {
  /** In events and metrics; no listener can have this name. */
  private static final String NAME = "(admin)";

  /** A connection of the admin port has five seconds for its handshake and its first request. */
  private static final Duration SETUP_TIMEOUT = Duration.ofSeconds(5);

  private final Settings settings;
  private final KeyValues<BridgeConfig> values;

  AdminReader(Settings settings, KeyValues<BridgeConfig> values) {
    this.settings = settings;
    this.values = values;
  }

  AdminConfig read(AddressBook addresses) {
    Setting<HostPort> address = settings.get(ProcessKeys.ADMIN_ADDRESS);
    List<String> hosts = new ArrayList<>();
    hosts.add(address.value().host());
    hosts.addAll(values.get(ProcessKeys.ADMIN_HOSTS));
    return new AdminConfig(
        addresses.add(address),
        hosts,
        settings.find(ProcessKeys.ADMIN_TOKENS).flatMap(this::tokens),
        tls());
  }

  private Optional<AdminTokens> tokens(Setting<String> file) {
    try {
      boolean isForOthers = values.get(ProcessKeys.ADMIN_TOKENS_FOR_OTHERS);
      return Optional.of(AdminTokens.read(Path.of(file.value()), isForOthers));
    } catch (ConfigException | InvalidPathException unusable) {
      settings.refuseFile(file, String.valueOf(unusable.getMessage()));
      return Optional.empty();
    }
  }

  private Optional<AdminTls> tls() {
    checkTls();
    return values
        .get(AdminTlsKeys.CERTIFICATE)
        .map(certificate ->
            new AdminTls(
                server(
                    new CertificateFiles(
                        certificate, values.get(AdminTlsKeys.KEY).orElse(certificate))),
                values.get(AdminTlsKeys.READ_NAMES),
                values.get(AdminTlsKeys.OPERATE_NAMES)));
  }

  /**
   * With the JDK's engine: its buffers are on the heap, so that the port answers even when direct
   * memory is exhausted.
   */
  private ServerTlsConfig server(CertificateFiles certificate) {
    Optional<Path> clientCa = values.get(AdminTlsKeys.CLIENT_CA);
    return new ServerTlsConfig(
        NAME,
        List.of(certificate),
        values.get(AdminTlsKeys.KEY_PERMISSIONS),
        Engine.JDK,
        values.get(AdminTlsKeys.VERSION_MIN),
        List.of(),
        Optional.empty(),
        new ClientCertificates(
            clientCa.isPresent() ? ClientAuth.OPTIONAL : ClientAuth.NONE,
            clientCa,
            values.get(AdminTlsKeys.CLIENT_CRL),
            true),
        SETUP_TIMEOUT);
  }

  private void checkTls() {
    if (values.get(AdminTlsKeys.CERTIFICATE).isEmpty()) {
      AdminTlsKeys.GROUP
          .keys()
          .forEach(
              key -> settings.refuseAlone(key, "together with " + AdminTlsKeys.CERTIFICATE.name()));
      return;
    }
    String names = AdminTlsKeys.READ_NAMES.name() + " or " + AdminTlsKeys.OPERATE_NAMES.name();
    boolean hasNames =
        !values.get(AdminTlsKeys.READ_NAMES).isEmpty()
            || !values.get(AdminTlsKeys.OPERATE_NAMES).isEmpty();
    if (values.get(AdminTlsKeys.CLIENT_CA).isEmpty()) {
      for (Key<BridgeConfig, ?> key :
          List.of(AdminTlsKeys.CLIENT_CRL, AdminTlsKeys.READ_NAMES, AdminTlsKeys.OPERATE_NAMES)) {
        settings.refuseAlone(key, "together with " + AdminTlsKeys.CLIENT_CA.name());
      }
    } else if (!hasNames) {
      settings.refuseAlone(AdminTlsKeys.CLIENT_CA, "together with " + names);
    }
  }
}
