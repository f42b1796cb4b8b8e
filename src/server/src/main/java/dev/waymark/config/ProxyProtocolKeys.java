package dev.waymark.config;

import dev.waymark.net.admission.Network;
import java.time.Duration;
import java.util.List;

/** The keys of a listener for proxies in front of the bridge. Immutable. */
public final class ProxyProtocolKeys {
  /** Whether clients start with a header of the PROXY protocol. */
  public enum Mode {
    OFF,
    REQUIRED
  }

  static final KeyGroup<ListenerConfig> GROUP =
      new KeyGroup<>("PROXY protocol", Scope.LISTENER, "proxy-protocol.");

  static final Key<ListenerConfig, Mode> MODE =
      GROUP
          .key("mode", ValueType.word(Mode.class))
          .byDefault("off")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "required: every connection comes from a proxy and starts with a PROXY header, version 1 or 2, that names the client. Anything else is closed.");

  public static final Key<ListenerConfig, List<Network>> TRUSTED =
      GROUP
          .key("trusted", ValueType.networks())
          .orElse(List.of())
          .example("10.0.0.0/8, fd00::/8")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Networks of the proxies. All other peers are closed. Required with mode required.");

  public static final Key<ListenerConfig, Duration> HEADER_TIMEOUT =
      GROUP
          .key("header-timeout", ValueType.duration("5m"))
          .byDefault("5s")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("How long the header may take, from the accept on.");

  private ProxyProtocolKeys() {}
}
